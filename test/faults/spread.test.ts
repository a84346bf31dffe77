import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test, vi } from "vitest";
import { startCluster, until } from "../cluster-of-processes.ts";

vi.setConfig({ testTimeout: 240_000 });

/** An endpoint that counts its requests, and can hold back its answers. */
const hits: string[] = [];
let isHolding = false;
const target = createServer((request, response) => {
  hits.push(new URL(request.url ?? "", "http://localhost").pathname);
  if (!isHolding) response.end("ok");
});
await once(target.listen(0, "127.0.0.1"), "listening");
afterAll(() => {
  target.closeAllConnections();
  target.close();
});
const address = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
const { client, startWorker, rowOf } = await startCluster({
  ENSEMBLE_CONFIG: fileURLToPath(new URL("../../langgraph.json", import.meta.url)),
  OPENAI_BASE_URL: "http://127.0.0.1:1",
  OPENAI_API_KEY: "test",
  ENSEMBLE_PATTERN_HOSTS: new URL(address).host,
});

const names = ["simple", "medium", "complex"];
const input = {
  skill: "performance-testing",
  spread: true,
  scenarios: names.map((name) => ({
    name,
    inputSize: 4,
    batchSize: 2,
    skillParams: { targets: [`${address}/${name}`], requests: 1, connections: 1, timeoutSeconds: 30 },
  })),
};

async function start(payload: object) {
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "scenario", payload as object);
  return { runId, outcome: () => client.runs.join(threadId, runId) };
}

const childrenOf = async (runId: string) => {
  const threads = await client.threads.search({ metadata: { spread_of: runId } });
  return (await Promise.all(threads.map(({ thread_id: threadId }) => client.runs.list(threadId)))).flat();
};

test("scenarios that run apart are done by several workers, and outlive the worker of their parent", async () => {
  isHolding = true;
  const first = await startWorker({ N_JOBS_PER_WORKER: "2" });
  const { runId, outcome } = await start({ input });
  await until(async () => (await rowOf(runId))?.worker_id !== null && hits.length > 0);
  await startWorker({ N_JOBS_PER_WORKER: "3" });
  await until(() => new Set(hits).size === 3);
  const workers = await Promise.all((await childrenOf(runId)).map(async (child) => (await rowOf(child.run_id)).worker_id));
  expect(new Set(workers).size).toBe(2);
  first.child.kill("SIGKILL");
  isHolding = false;
  target.closeAllConnections();
  expect(await outcome()).toMatchObject({
    progress: Object.fromEntries(names.map((name) => [name, { status: "complete", percent: 100 }])),
  });
  expect((await rowOf(runId)).attempt).toBe(2);
  const children = await childrenOf(runId);
  expect(children.map(({ status }) => status)).toEqual(["success", "success", "success"]);
});

test("a parent that leaves no room for the runs of its scenarios does not wait for them for ever", async () => {
  await startWorker({ N_JOBS_PER_WORKER: "1" });
  const scenarios = input.scenarios.map((scenario) => ({ ...scenario, timeBudgetSeconds: 1 }));
  const { runId, outcome } = await start({ input: { ...input, scenarios }, context: { spreadWaitSeconds: 1 } });
  expect(await outcome()).toMatchObject({ __error__: { message: expect.stringContaining("simple: timeout after 0 of 2 items") } });
  expect((await childrenOf(runId)).every(({ status }) => status === "interrupted")).toBe(true);
});
