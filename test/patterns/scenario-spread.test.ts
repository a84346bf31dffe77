import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import type { ScenarioProgress } from "../../graphs/scenario/progress.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();

interface Compared {
  progress: Record<string, ScenarioProgress>;
  report: { comparison: { rows: { label: string; status: string }[] }; gaps: string[] };
  ledger: { agent: string }[];
  messages: object[];
  __error__?: { message: string };
}

/** An endpoint for load tests that counts its requests, and can hold back its answers. */
const hits: string[] = [];
let isHolding = false;
const target = createServer((request, response) => {
  hits.push(request.url ?? "");
  if (!isHolding) response.end("ok");
});
await once(target.listen(0, "127.0.0.1"), "listening");
afterAll(() => {
  target.closeAllConnections();
  target.close();
});
const { port } = target.address() as AddressInfo;
vi.stubEnv("ENSEMBLE_PATTERN_HOSTS", `127.0.0.1:${port},127.0.0.1:1`);
const loading = (name: string, at = port) => ({
  name,
  inputSize: 4,
  batchSize: 2,
  skillParams: { targets: [`http://127.0.0.1:${at}/${name}`], requests: 1, connections: 1, timeoutSeconds: 30 },
});
const small = ["simple", "medium", "complex"].map((name, index) => ({ name, inputSize: 10 * (index + 1), batchSize: 5 }));

beforeEach(() => {
  isHolding = false;
  hits.length = 0;
});

async function start(input: object, context = {}) {
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "scenario", { input: { spread: true, ...input }, context } as object);
  return { threadId, runId, outcome: () => client.runs.join(threadId, runId) as unknown as Promise<Compared> };
}
const childrenOf = async (runId: string) => {
  const threads = await client.threads.search({ metadata: { spread_of: runId } });
  return Promise.all(threads.map(async ({ thread_id: threadId }) => ({ threadId, runs: await client.runs.list(threadId) })));
};

test("each scenario is a run of its own, and the parent compares them", async () => {
  const { runId, outcome } = await start({ scenarios: small });
  const { progress, report, messages } = await outcome();
  expect(Object.values(progress).map(({ status, items }) => [status, items])).toEqual([
    ["complete", 10],
    ["complete", 20],
    ["complete", 30],
  ]);
  expect(report.comparison.rows.map(({ label }) => label)).toEqual(["simple", "medium", "complex"]);
  expect(messages).toHaveLength(1);
  const children = await childrenOf(runId);
  expect(children.map(({ runs }) => runs.map(({ status }) => status))).toEqual([["success"], ["success"], ["success"]]);
  for (const { threadId } of children) {
    expect((await client.threads.getState<Compared>(threadId)).values.report).toBeNull();
  }
});

test.each(["milestone", "lockstep"])("in the mode %s it is refused, because runs cannot meet", async (mode) => {
  await expect(client.runs.wait(null, "scenario", { input: { spread: true, mode } })).rejects.toThrow(
    /422.*input\.spread.*scenarios that run apart cannot meet/s,
  );
});

test("a scenario whose run fails or is cancelled counts as failed, and the others are compared", async () => {
  isHolding = true;
  const scenarios = [loading("good"), { ...loading("bad", 1), errorTolerance: 0 }, loading("stopped")];
  const { runId, outcome } = await start({ skill: "performance-testing", scenarios }, { batchRetries: 0 });
  await expect.poll(() => hits.length).toBeGreaterThanOrEqual(2);
  for (const { threadId, runs } of await childrenOf(runId)) {
    const { values } = await client.threads.getState<Compared>(threadId);
    if ("stopped" in values.progress) await client.runs.cancel(threadId, String(runs[0]?.run_id), true);
  }
  isHolding = false;
  target.closeAllConnections();
  const { progress, report } = await outcome();
  expect(progress).toMatchObject({ good: { status: "complete" }, bad: { status: "failed" }, stopped: { status: "failed" } });
  expect(progress.stopped?.errors.at(-1)?.message).toContain("ended with the status interrupted");
  expect(report.comparison.rows.map(({ label, status }) => [label, status])).toEqual([
    ["good", "success"],
    ["bad", "failed"],
    ["stopped", "failed"],
  ]);
});

test("if all of them fail, they run once more with half the load, and then the run ends with the diagnosis of each", async () => {
  const scenarios = ["one", "two"].map((name) => ({ ...loading(name, 1), errorTolerance: 0 }));
  const { runId, outcome } = await start({ skill: "performance-testing", scenarios }, { batchRetries: 0 });
  expect((await outcome()).__error__?.message).toMatch(/Every scenario failed, with half of the input too\. one: .* two: /);
  expect(await childrenOf(runId)).toHaveLength(4);
});

test("a cancelled parent cancels the runs of its scenarios, and they go on when the thread is run on", async () => {
  isHolding = true;
  const scenarios = ["one", "two", "three"].map((name) => loading(name));
  const { threadId, runId } = await start({ skill: "performance-testing", scenarios });
  await expect.poll(() => hits.length).toBe(3);
  await client.runs.cancel(threadId, runId, true);
  const statuses = async () => (await childrenOf(runId)).flatMap(({ runs }) => runs.map(({ status }) => status));
  await expect.poll(statuses).toEqual(["interrupted", "interrupted", "interrupted"]);
  isHolding = false;
  const { progress } = (await client.runs.wait(threadId, "scenario", { input: null })) as unknown as Compared;
  expect(Object.values(progress).map(({ status }) => status)).toEqual(["complete", "complete", "complete"]);
  expect((await childrenOf(runId)).map(({ runs }) => runs.length)).toEqual([2, 2, 2]);
});

test("the ledger has the calls of all runs, and each run has its share of the budget", async () => {
  model.respond(() => ({ json: { text: "Again" } }));
  const scenarios = ["one", "two"].map((name) => ({ name, inputSize: 2, batchSize: 2 }));
  const { runId, outcome } = await start({ skill: "echo-agent", scenarios }, { budget: { tokens: 50_000 } });
  const { ledger } = await outcome();
  expect(ledger.map(({ agent }) => agent).toSorted()).toEqual(["one/echo", "one/echo", "two/echo", "two/echo"]);
  const [child] = await childrenOf(runId);
  expect(child?.runs[0]).toMatchObject({ kwargs: { context: { budget: { tokens: 25_000 } } } });
});
