import { hostname } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { version } from "../../src/version.ts";
import { until } from "../command.ts";
import { runElsewhere } from "../run-elsewhere.ts";
import { startTestService } from "../service.ts";

const whole = await startTestService({ N_JOBS_PER_WORKER: "7" });
const api = await startTestService({ ENSEMBLE_ROLE: "api" });

interface Listed extends Record<string, unknown> {
  worker_id: string;
  running: number;
}
const list = async ({ fetch }: Pick<typeof whole, "fetch">) => (await (await fetch("/workers")).json()) as Listed[];

test("a worker is listed with its host, release, graphs and slots, and with the runs that it holds", async () => {
  const workers = await list(whole);
  expect(workers).toMatchObject([
    { host: hostname(), pid: process.pid, version, slots: 7, running: 0, alive: true, graphs: expect.arrayContaining(["steps", "slow"]) },
  ]);
  expect(Date.parse(String(workers[0]?.heartbeat_at))).toBeGreaterThanOrEqual(Date.parse(String(workers[0]?.started_at)));
  const { thread_id: threadId } = await whole.client.threads.create();
  const endless = { input: { until: 10_000, tickMs: 20 }, config: { recursion_limit: 100_000 } };
  const { run_id: runId } = await whole.client.runs.create(threadId, "slow", endless);
  onTestFinished(() => whole.client.runs.cancel(threadId, runId, true));
  await until(async () => (await list(whole))[0]?.running === 1);
});

test("a worker that is gone is listed as such, with its runs, while nobody takes them over", async () => {
  const { client, db } = api;
  onTestFinished(async () => {
    await db.query("delete from runs");
    await db.query("delete from workers");
  });
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "steps", { input: {} });
  await runElsewhere(db, runId);
  await db.query("update workers set heartbeat_at = now() - interval '1 minute'");
  expect(await list(api)).toMatchObject([{ host: "elsewhere", running: 1, alive: false, version: null, slots: null, graphs: null }]);
});

test("a worker without its lock counts as gone as soon as a free lock can be relied on", async () => {
  const { db } = api;
  onTestFinished(async () => void (await db.query("delete from workers")));
  const isSettled = async () => (await db.query("select 1 where pg_postmaster_start_time() < now() - interval '6 seconds'")).rowCount === 1;
  await until(isSettled);
  const holder = await db.connect();
  await holder.query("select pg_advisory_lock(1163084621, 999)");
  await db.query("insert into workers (worker_id, lock_key, host, pid) values (gen_random_uuid(), 999, 'elsewhere', 1)");
  expect(await list(api)).toMatchObject([{ alive: true }]);
  holder.release(true); // closes the connection, which releases its lock
  await until(async () => (await list(api))[0]?.alive === false);
});

test("an API without workers lists none", async () => {
  expect(await list(api)).toEqual([]);
});
