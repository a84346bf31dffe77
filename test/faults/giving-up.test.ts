import { expect, test, vi } from "vitest";
import { startCluster, until } from "../cluster-of-processes.ts";
import { collect } from "../sse.ts";

vi.setConfig({ testTimeout: 240_000 });

const { client, startWorker, journalFile, rowOf } = await startCluster();
const config = { configurable: { journal: journalFile } };

test("a run that kills its workers ends in error, and other runs do not", async () => {
  let deaths = 0;
  let supervising = true;
  const supervise = async () => {
    while (supervising) {
      const worker = await startWorker({ N_JOBS_PER_WORKER: "30" });
      const ended = await Promise.race([worker.exited.then(() => true), until(() => !supervising).then(() => false)]);
      if (ended) deaths += 1;
      else await worker.stop();
    }
  };
  const innocents = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const { thread_id: threadId } = await client.threads.create();
      return client.runs.create(threadId, "relay", { input: { steps: 1, stepMs: 400 }, config });
    }),
  );
  const { thread_id: threadId } = await client.threads.create();
  const killer = await client.runs.create(threadId, "killer", { input: { steps: 1 } });
  const supervision = supervise();
  const outcome = await client.runs.join(threadId, killer.run_id);
  expect(outcome).toMatchObject({ __error__: { error: "WorkerCrashError", message: expect.stringContaining("died 3 times") } });
  for (const { thread_id, run_id } of innocents) expect(await client.runs.join(thread_id, run_id)).toMatchObject({ done: 1 });
  expect(deaths).toBe(3);
  expect(await client.threads.get(threadId)).toMatchObject({ status: "error" });
  expect(await client.runs.wait(threadId, "steps", { input: {} })).toMatchObject({ last: "three" });
  supervising = false;
  await supervision;
}, 240_000);

test("a node that blocks the event loop keeps its lease, and the log names it", async () => {
  const [one, two] = [await startWorker(), await startWorker()];
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "blocker", { input: { stepMs: 5_000 } });
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ done: 1 });
  expect(await rowOf(run.run_id)).toMatchObject({ status: "success", attempt: 1 });
  const report = () => `${one.output()}${two.output()}`.split("\n").find((line) => line.includes("the event loop stood still"));
  await until(() => report() !== undefined);
  const { blocked_ms: ms, nodes } = JSON.parse(report() ?? "");
  expect(ms).toBeGreaterThan(4_000);
  expect(nodes[0]).toMatchObject({ node: "block", run_id: run.run_id });
  await Promise.all([one.stop(), two.stop()]);
});

test("a run that takes too long ends as timeout", async () => {
  await startWorker({ BG_JOB_TIMEOUT_SECS: "1" });
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "relay", { input: { steps: 1, stepMs: 20_000 }, config });
  const events = await collect(client.runs.joinStream(threadId, run.run_id));
  expect(events.at(-1)).toMatchObject({ event: "error", data: { error: "TimeoutError" } });
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ __error__: { error: "TimeoutError" } });
  expect(await rowOf(run.run_id)).toMatchObject({ status: "timeout" });
  expect(await client.threads.get(threadId)).toMatchObject({ status: "error" });
});

test("the sweep of another worker ends a run whose own worker cannot enforce the time limit", async () => {
  const busy = await startWorker({ BG_JOB_TIMEOUT_SECS: "1", N_JOBS_PER_WORKER: "1" });
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "blocker", { input: { stepMs: 25_000 } });
  await until(async () => (await rowOf(run.run_id)).status === "running");
  await startWorker({ BG_JOB_TIMEOUT_SECS: "1" });
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ __error__: { error: "TimeoutError" } });
  expect(await rowOf(run.run_id)).toMatchObject({ status: "timeout", attempt: 1 });
  expect(busy.child.exitCode).toBeNull();
});
