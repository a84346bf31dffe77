import type { Run } from "@langchain/langgraph-sdk";
import { expect, test, vi } from "vitest";
import { startCluster, until } from "../cluster-of-processes.ts";
import { collect } from "../sse.ts";

vi.setConfig({ testTimeout: 240_000 });

const { client, db, startWorker, aWorker, journal, journalFile, rowOf, begun, counts } = await startCluster();
const config = { configurable: { journal: journalFile } };

test("a worker that was paused past its lease has lost its runs and writes nothing when it continues", async () => {
  const stopped = await startWorker();
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "relay", { input: { steps: 8, stepMs: 400 }, config, streamMode: ["updates"] });
  await until(begun(run.run_id, "begin 1"));
  stopped.child.kill("SIGSTOP");
  await aWorker();
  await until(async () => (await rowOf(run.run_id)).attempt === 2);
  stopped.child.kill("SIGCONT");
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ done: 8 });
  expect(await rowOf(run.run_id)).toMatchObject({ crashes: 0 }); // no worker died

  const { rows } = await db.query(
    "select metadata ->> 'run_attempt' as attempt, metadata ->> 'step' as step from checkpoints where run_id = $1 order by checkpoint_id",
    [run.run_id],
  );
  const attempts = rows.map(({ attempt }) => Number(attempt));
  expect(attempts).toEqual(attempts.toSorted((a, b) => a - b));
  expect(new Set(rows.map(({ step }) => step)).size).toBe(rows.length);
  const events = await collect(client.runs.joinStream(threadId, run.run_id));
  expect(events.filter(({ event }) => event === "updates")).toHaveLength(8);
  await until(() => stopped.output().includes('"outcome":"lost"'));
  await stopped.stop();
});

test.each(["relay", "relay-inside"])(
  "a drained worker gives its runs back (%s): they go on elsewhere, no step is repeated and no crash is counted",
  async (graphId) => {
    const leaving = await aWorker();
    const runs = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const { thread_id: threadId } = await client.threads.create();
        return client.runs.create(threadId, graphId, { input: { steps: 15, stepMs: 200 }, config });
      }),
    );
    await until(() => runs.every(({ run_id }) => begun(run_id, "begin 1")()));
    expect(await leaving.stop()).toBe(0);
    await aWorker();
    for (const { thread_id, run_id } of runs) {
      expect(await client.runs.join(thread_id, run_id)).toMatchObject({ done: 15 });
      expect(await rowOf(run_id)).toMatchObject({ status: "success", crashes: 0, attempt: 2 });
      expect(Object.values(counts(run_id))).toEqual(Array.from({ length: 30 }, () => 1));
    }
  },
);

test("a run is cancelled although its worker has died or is shutting down", async () => {
  const start = async () => {
    const { thread_id: threadId } = await client.threads.create();
    const run = await client.runs.create(threadId, "relay", { input: { steps: 4, stepMs: 700 }, config });
    await until(begun(run.run_id, "begin 1"));
    return run;
  };
  const dying = await aWorker();
  const orphan = await start();
  dying.child.kill("SIGKILL");
  await client.runs.cancel(orphan.thread_id, orphan.run_id);
  const leaving = await aWorker();
  await client.runs.join(orphan.thread_id, orphan.run_id);
  const drained = await start();
  const left = leaving.stop();
  await client.runs.cancel(drained.thread_id, drained.run_id);
  await left;
  await aWorker();
  await client.runs.join(drained.thread_id, drained.run_id);

  for (const { thread_id, run_id } of [orphan, drained]) {
    expect(await rowOf(run_id)).toMatchObject({ status: "interrupted" });
    expect(counts(run_id)["begin 3"]).toBeUndefined();
    expect(await client.threads.get(thread_id)).toMatchObject({ status: "idle" });
  }
});

test("a rolling restart of two workers under load loses nothing and repeats no step", async () => {
  const old = [await aWorker(), await startWorker()];
  const runs: Run[] = [];
  for (const worker of old) {
    await startWorker();
    const more = Array.from({ length: 24 }, () => client.runs.create(null, "relay", { input: { steps: 12, stepMs: 150 }, config }));
    runs.push(...(await Promise.all(more))); // more runs than the other workers have slots for
    await until(() => journal().some(({ pid, what }) => pid === worker.child.pid && what === "begin 1"));
    expect(await worker.stop()).toBe(0);
  }
  for (const { thread_id, run_id } of runs) {
    expect(await client.runs.join(thread_id, run_id)).toMatchObject({ done: 12 });
    expect(await rowOf(run_id)).toMatchObject({ status: "success", crashes: 0 });
    expect(Object.values(counts(run_id))).toEqual(Array.from({ length: 24 }, () => 1));
  }
  const attempts = await Promise.all(runs.map(async ({ run_id }) => (await rowOf(run_id)).attempt));
  expect(Math.max(...attempts)).toBeGreaterThan(1);
});
