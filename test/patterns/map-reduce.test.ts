import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface MapReduce {
  result: unknown;
  outcomes: { partition: number; from: number; to: number; status: string; error: string | null }[];
  gaps: { from: number; to: number }[];
  levels: number;
  messages: { content: string }[];
  ledger: { agent: string }[];
}

const run = (input: object, context: object = {}) =>
  client.runs.wait(null, "map-reduce", {
    input: { task: "t", ...input },
    context: { limits: { stageMs: 0 }, ...context },
  } as object) as Promise<unknown> as Promise<MapReduce>;
const add = { tool: "calculate", args: { expression: "1 + 1" } };
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const itemsIn = (messages: string): number[] => JSON.parse(/items\\+":(\[[\d,]*\])/.exec(messages)?.[1] ?? "[]");
const agents = [{ name: "doubler", role: "r", output: { type: "array", items: { type: "number" } } }];
/** Work whose output is the items themselves. The model answers with what it was given. */
const same = { agent: "doubler" };
const echo = (messages: string) => ({ json: itemsIn(messages) });

test("with nothing but a task, its lines are summarised and brought together", async () => {
  model.respond((messages) => ({ tokens: [messages.includes("Bring these summaries") ? "all in all" : "a summary"] }));
  const { result, levels, outcomes, messages } = await run({ task: "one\ntwo\nthree" });
  expect({ result, levels }).toEqual({ result: "all in all", levels: 1 });
  expect(outcomes.map(({ from, to }) => [from, to])).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
  ]);
  expect(messages.at(-1)?.content).toBe("all in all");
});

test.each([
  [0, 0, null],
  [1, 1, [0]],
  [10_001, 8, numbers(10_001)],
])("%i items make %i partitions, whose sizes differ by at most one", async (count, partitions, expected) => {
  model.respond(echo);
  const { result, outcomes } = await run({ items: numbers(count), map: same, reduce: { compute: "concat" } }, { agents });
  expect(result).toEqual(expected);
  expect(outcomes).toHaveLength(partitions);
  const sizes = outcomes.map(({ from, to }) => to - from);
  expect(Math.max(0, ...sizes) - Math.min(...sizes, sizes[0] ?? 0)).toBeLessThanOrEqual(1);
  if (count === 0) expect(model.requests).toHaveLength(0);
});

test("65 partitions are joined in three levels, eight outputs at a time, and no partition sees another", async () => {
  model.respond(echo);
  const input = { items: numbers(65), partitions: 65, map: same, reduce: { compute: "sum" } };
  const { result, levels, outcomes } = await run(input, { agents, limits: { stageMs: 0, parallel: 16 } });
  expect({ result, levels }).toEqual({ result: (64 * 65) / 2, levels: 3 });
  expect(outcomes).toHaveLength(65);
  for (const { messages } of model.requests) expect(itemsIn(JSON.stringify(messages))).toHaveLength(1);
});

test.each([
  [{ compute: "count" }, 20],
  [{ compute: "topK", k: 3 }, [19, 18, 17]],
  [
    { compute: "groupBy", by: "parity" },
    { even: expect.anything(), odd: expect.anything() },
  ],
])("the result of %j is the same for any number of partitions", async (reduce, expected) => {
  model.respond((messages) => ({ json: itemsIn(messages).map((n) => ("by" in reduce ? { n, parity: n % 2 ? "odd" : "even" } : n)) }));
  const worker = [{ ...agents[0], output: { type: "array", items: {} } }];
  const results = [];
  for (const partitions of [1, 3, 7, 20]) {
    const { result } = await run({ items: numbers(20), partitions, map: same, reduce }, { agents: worker, fanIn: 2 });
    results.push(result);
  }
  expect(results[0]).toEqual(expected);
  for (const result of results) expect(result).toEqual(results[0]);
});

test("a partition that fails twice is tried a third time", async () => {
  let failures = 0;
  model.respond((messages) => (itemsIn(messages).includes(3) && failures++ < 6 ? { status: 500 } : echo(messages)));
  const { result, gaps } = await run({ items: numbers(4), partitions: 2, map: same, reduce: { compute: "sum" } }, { agents });
  expect({ result, gaps }).toEqual({ result: 6, gaps: [] });
});

test("failed partitions within the tolerance are gaps, with their items", async () => {
  model.respond((messages) => (itemsIn(messages).includes(3) ? { status: 400 } : echo(messages)));
  const { result, gaps, messages } = await run(
    { items: numbers(8), partitions: 4, map: same, reduce: { compute: "sum" } },
    { agents, errorTolerance: 0.25 },
  );
  expect(result).toBe(28 - 5);
  expect(gaps).toMatchObject([{ from: 2, to: 4 }]);
  expect(messages.at(-1)?.content).toContain("items 2 to 3");
});

test("too many failed partitions stop before anything is joined, and ask", async () => {
  let isBroken = true;
  model.respond((messages) => (isBroken && itemsIn(messages).includes(3) ? { status: 400 } : echo(messages)));
  const { thread_id } = await client.threads.create();
  const input = { task: "t", items: numbers(8), partitions: 4, map: same, reduce: { compute: "sum" } };
  const asked = (await client.runs.wait(thread_id, "map-reduce", { input, context: { agents } } as object)) as object;
  expect(Object(asked).__interrupt__).toMatchObject([{ value: { options: ["retry", "adjust", "accept"] } }]);
  isBroken = false;
  const done = (await client.runs.wait(thread_id, "map-reduce", { command: { resume: "retry" }, context: { agents } } as object)) as object;
  expect(done).toMatchObject({ result: 28, gaps: [] });
  expect(model.requests).toHaveLength(5);
});

test("an unattended caller gets the gaps without being asked", async () => {
  model.respond((messages) => (itemsIn(messages).includes(3) ? { status: 400 } : echo(messages)));
  const { result, gaps } = await run(
    { items: numbers(8), partitions: 4, map: same, reduce: { compute: "sum" } },
    { agents, onFailures: "partial" },
  );
  expect(gaps).toHaveLength(1);
  expect(result).toBe(28 - 5);
});

test("a join that fails for good fails the run", async () => {
  model.respond((messages) => (messages.includes("join them") ? { status: 400 } : echo(messages)));
  await expect(run({ items: numbers(4), map: same, reduce: { task: "join them" } }, { agents })).rejects.toThrow('"reduce 1-0" failed');
});

test("items come from a file of an allowed directory, and from the store", async () => {
  const directory = await mkdtemp(join(tmpdir(), "items-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, "items.json"), JSON.stringify(numbers(5)));
  process.env.ENSEMBLE_PATTERN_DIRECTORIES = directory;
  model.respond(echo);
  const how = { map: same, reduce: { compute: "sum" } };
  expect(await run({ itemsFrom: { file: join(directory, "items.json") }, ...how }, { agents })).toMatchObject({ result: 10 });
  await expect(run({ itemsFrom: { file: "/etc/hostname" }, ...how }, { agents })).rejects.toThrow("may not be read");
  await client.store.putItem(["readings"], "a", { n: 1 });
  await client.store.putItem(["readings"], "b", { n: 2 });
  const stored = await run({ itemsFrom: { store: ["readings"] }, map: add, reduce: { compute: "concat" } });
  expect(stored.outcomes).toHaveLength(2);
});

test.each([
  ["two sources", { itemsFrom: { url: "http://a.example", file: "b" } }, "itemsFrom"],
  ["no partitions", { partitions: 0 }, "partitions"],
  ["an unknown computation", { reduce: { compute: "mean" } }, "reduce"],
  ["two kinds of work", { map: { tool: "now", agent: "x" } }, "map"],
  ["a misspelt key", { partitionsize: 3 }, "partitionsize"],
])("%s is refused with its place, before anything runs", async (_what, input, place) => {
  const refused = await run(input).catch((error) => error);
  expect(refused.status).toBe(422);
  expect(refused.message).toContain(place);
  expect(model.requests).toHaveLength(0);
});
