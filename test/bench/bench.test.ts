import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Contender } from "../../bench/contenders/contender.ts";
import { median, spreadOf } from "../../bench/measured.ts";
import { parts, usualParts } from "../../bench/parts.ts";
import { takeTurns } from "../../bench/rounds.ts";
import { alignCells, formatTable } from "../../bench/table.ts";
import { judgeTargets } from "../../bench/targets.ts";

test("the README names every part of the benchmark, and says which ones run only by name", () => {
  const readme = readFileSync("bench/README.md", "utf8");
  const told = Object.keys(parts).filter((part) => new RegExp(`\\b${part}\\b`).test(readme));
  expect(told).toEqual(Object.keys(parts));
  const byNameOnly = Object.keys(parts).filter((part) => !usualParts.includes(part));
  const list = new Intl.ListFormat("en-GB").format(byNameOnly);
  expect(readme).toContain(`all parts except ${list}`);
});

test("contenders take turns", async () => {
  const order: string[] = [];
  const contender = (name: string): Contender => ({
    name,
    pids: [process.pid],
    async run() {
      order.push(name);
      return { ms: 1_000, first: [1], end: [2], failed: 0 };
    },
    stop: async () => {},
  });
  const load = { graph: "one", method: "stream" as const, concurrency: 1, forMs: 1 };
  const turns = await takeTurns({ databasePids: [] }, [contender("a"), contender("b")], load, 2);
  expect(order).toEqual(["a", "b", "a", "b"]);
  expect(turns.get("a")).toHaveLength(2);
});

test("a target is met or not by what was measured, and neither where something was not", () => {
  const verdicts = judgeTargets({ "five: server CPU": 6.1, "scale: 4 against 1": 3.8, "soak: heap": 1.0 });
  const metOf = (wanted: string) => verdicts.find((verdict) => verdict.wanted === wanted);
  expect(metOf("≤ 6 ms")).toMatchObject({ measured: "6.10 ms", met: "no" });
  expect(metOf("≥ 3.8 ×")).toMatchObject({ measured: "3.80 ×", met: "yes" });
  expect(metOf("≤ 1.1 ×; ≤ 1.3 ×")).toMatchObject({ measured: "1 ×; - ×", met: "-" });
  expect(metOf("≥ 4 ×")).toMatchObject({ measured: "-", met: "-" });
});

test("a table shows the middle of the turns with their spread, and a dash where nothing was measured", () => {
  expect(median([1, 2])).toBe(1.5);
  const rows = { ours: [spreadOf([10, 30, 20]), undefined], theirs: [7, 123.4] };
  expect(formatTable({ title: "runs", columns: ["a second", "ms"], rows })).toBe(
    alignCells([
      ["runs", "a second", "ms"],
      ["ours", "20 (10–30)", "-"],
      ["theirs", "7", "123"],
    ]),
  );
});
