import { once } from "node:events";
import { beforeAll, expect, test } from "vitest";
import { runCommand, spawnCommand } from "../command.ts";
import { startPatterns } from "../patterns/service.ts";

const { client, model, urls } = await startPatterns();
const env = { ENSEMBLE_URL: urls[0] ?? "" };
const work = (...args: string[]) => runCommand(["work", ...args], env);
const json = async (...args: string[]) => JSON.parse((await work(...args, "--json")).stdout);

const stages = [
  { capability: "plan", goal: "Plan the export" },
  { capability: "write", goal: "Write the export" },
];
const run = (project: string, name = "exports") =>
  client.runs.wait(null, "work-engine", { input: { task: "Build", project, name, stages }, context: { limits: { stageMs: 0 } } });

beforeAll(async () => {
  const verdict = { passed: true, quality: 0.8, reasons: [], findings: ["Name the file first."] };
  model.respond((messages) => (messages.includes("Judge the output of a stage") ? { json: verdict } : { tokens: ["made"] }));
  await run("shop");
});

test("`work list` shows the work items of one project, or of all", async () => {
  await run("other");
  const { code, stdout, stderr } = await work("list", "shop");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^item +status +skill +last event +goal\nshop\/wf-exports-stage-1 +done +planner .* Plan the export\n/);
  expect(stdout).not.toContain("other/");
  expect((await json("list")).map(({ project }: { project: string }) => project)).toEqual(["other", "other", "shop", "shop"]);
  expect((await work("list", "nowhere")).stdout).toBe("Project nowhere has no work items.\n");
});

test("`work show` shows an item with its events, and asks for the project if several have the item", async () => {
  await run("alone", "single");
  const { stdout } = await work("show", "wf-single-stage-2");
  expect(stdout).toContain("alone/wf-single-stage-2");
  expect(stdout).toMatch(/Depends on:\n.*- wf-single-stage-1/);
  expect(stdout).toContain(" planned\n");
  expect(stdout).toContain(" passed the gate\n");
  const both = await work("show", "wf-exports-stage-1");
  expect(both.code).toBe(1);
  expect(both.stderr).toContain("Several projects have wf-exports-stage-1: other/");
  expect((await work("show", "shop/wf-exports-stage-1")).code).toBe(0);
  expect((await work("show", "nothing")).stderr).toContain("There is no work item nothing.");
});

test("`work graph` draws which item waits for which", async () => {
  expect((await work("graph", "shop")).stdout).toBe(
    [
      "graph TD",
      '  item0["shop/wf-exports-stage-1: done, planner"]',
      '  item1["shop/wf-exports-stage-2: done, writer"]',
      "  item0 --> item1\n",
    ].join("\n"),
  );
});

test("`work hooks` shows the word of each gate and the lessons, since a date if one is given", async () => {
  const rows = await json("hooks", "shop");
  expect(rows).toMatchObject([
    { item: "shop/wf-exports-stage-1", event: "passed the gate", lessons: ["Name the file first."] },
    { item: "shop/wf-exports-stage-2" },
  ]);
  expect(await json("hooks", "shop", "--since", "2199-01-01")).toEqual([]);
  expect((await work("hooks", "--since", "soon")).stderr).toContain('--since is "soon"; it should be a date such as');
});

test("`work stats` shows the health of each skill, and why it needs repair", async () => {
  await client.store.putItem(["repair-tickets"], "planner", { skill: "planner", reason: "fails in 40 % of its stages", at: "now" });
  const { stdout } = await work("stats");
  expect(stdout).toMatch(/^skill +stages +failed +quality +lessons +needs repair\n/);
  expect(stdout).toMatch(/planner +\d+ +0 % +0\.80 +1 +fails in 40 % of its stages\n/);
});

test("`work tail` shows earlier events and each new one, until the person leaves", async () => {
  const child = spawnCommand(["work", "tail", "followed", "--limit", "1", "--json"], env);
  let stdout = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  const closed = once(child, "close");
  await run("followed", "first");
  await expect.poll(() => stdout).toContain("wf-first-stage-2");
  await run("followed", "second");
  await expect.poll(() => stdout.match(/second-stage-2","event":"passed the gate"/g)?.length).toBe(1);
  child.kill("SIGINT");
  await closed;
  expect(child.exitCode).toBe(0);
  const told = stdout.trim().split("\n");
  expect(new Set(told).size).toBe(told.length);
});

test("a wrong action, and a service without work items, get a sentence", async () => {
  expect((await work("shout")).stderr).toContain('"work" does not take "shout". It takes list, show, tail, graph, hooks, stats.');
  expect((await work("list", "empty")).code).toBe(0);
});
