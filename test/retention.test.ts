import { expect, test } from "vitest";
import { sweepOnce } from "../src/retention/sweep.ts";
import { startTestService } from "./service.ts";
import { collect } from "./sse.ts";

const { client, db } = await startTestService({ ENSEMBLE_EVENT_RETENTION_SECS: "0", ENSEMBLE_RESUMABLE_RETENTION_SECS: "3600" });

const stored = async (table: string, column: string, id: string) =>
  Number((await db.query(`select count(*) from ${table} where ${column}::text = $1`, [id])).rows[0].count);

test("events go after their time, those of resumable runs stay, and what a run came to is still told", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const [plain, resumable] = [
    await client.runs.create(threadId, "steps", { input: {} }),
    await client.runs.create(threadId, "steps", { input: {}, streamResumable: true }),
  ];
  await client.runs.join(threadId, resumable.run_id);
  await sweepOnce(db);

  expect(await collect(client.runs.joinStream(threadId, plain.run_id))).toEqual([]);
  expect(await collect(client.runs.joinStream(threadId, resumable.run_id))).not.toEqual([]);
  expect(await client.runs.join(threadId, plain.run_id)).toMatchObject({ last: "three" });
  expect(await client.runs.get(threadId, plain.run_id)).toMatchObject({ status: "success" });
});

test("the thread of a stateless run goes with its events, checkpoints included", async () => {
  const run = await client.runs.create(null, "steps", { input: {} });
  await collect(client.runs.joinStream(null, run.run_id)).catch(() => []);
  await sweepOnce(db); // the run's events
  await sweepOnce(db); // then its thread
  expect(await stored("threads", "thread_id", run.thread_id)).toBe(0);
  expect(await stored("runs", "run_id", run.run_id)).toBe(0);
  expect(await stored("checkpoints", "thread_id", run.thread_id)).toBe(0);
  expect(await stored("checkpoint_blobs", "thread_id", run.thread_id)).toBe(0);
});

test("a run that is not over is not swept", async () => {
  const run = await client.runs.create(null, "slow", { input: { until: 3, tickMs: 50 } });
  for await (const { event } of client.runs.joinStream(null, run.run_id)) if (event === "metadata") break;
  await sweepOnce(db);
  expect(await stored("runs", "run_id", run.run_id)).toBe(1);
  expect(await client.runs.join(run.thread_id, run.run_id)).toMatchObject({ ticks: 3 });
});
