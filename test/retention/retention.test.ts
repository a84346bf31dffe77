import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { transaction } from "../../src/db/sql.ts";
import type { RetentionRules } from "../../src/retention/retention-rules.ts";
import { surveyRemoval } from "../../src/retention/survey.ts";
import { sweepLock, sweepOnce, trimOnce } from "../../src/retention/sweep.ts";
import { findUntrimmedThreads, withoutOpenRuns } from "../../src/threads/retention.ts";
import { until } from "../command.ts";
import { startTestService } from "../service.ts";
import { collect } from "../sse.ts";

const { client, db } = await startTestService({
  ENSEMBLE_EVENT_RETENTION_SECS: "0",
  ENSEMBLE_RESUMABLE_RETENTION_SECS: "3600",
});

const stored = async (table: string, column: string, id: string) =>
  Number((await db.query(`select count(*) from ${table} where ${column}::text = $1`, [id])).rows[0].count);
const exists = async (threadId: string) => (await stored("threads", "thread_id", threadId)) === 1;

/** Sweeps until nothing is due. The service's own sweeper may be sweeping too. */
async function sweep(rules: RetentionRules = {}): Promise<void> {
  for (;;) {
    const swept = await sweepOnce(db, rules);
    if (swept?.more === false) return;
    if (!swept) await sleep(20);
  }
}

/** Does the work while the service's own sweeper has to wait. */
const whileNobodySweeps = <Result>(work: () => Promise<Result>): Promise<Result> =>
  transaction(db, async (tx) => {
    await tx.query("select pg_advisory_xact_lock($1)", [sweepLock]);
    return work();
  });

async function threadWithHistory(payload: Parameters<typeof client.threads.create>[0] = {}): Promise<string> {
  const { thread_id: threadId } = await client.threads.create(payload);
  await client.runs.wait(threadId, "steps", { input: { log: ["a"] } });
  return threadId;
}

const unusedFor = (minutes: number, ...threadIds: string[]) =>
  db.query("update threads set updated_at = updated_at - make_interval(mins => $1) where thread_id = any($2)", [minutes, threadIds]);
const forget = (...threadIds: string[]) => client.threads.prune(threadIds);

test("events go after their time, those of resumable runs stay, and what a run came to is still told", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const [plain, resumable] = [
    await client.runs.create(threadId, "steps", { input: {} }),
    await client.runs.create(threadId, "steps", { input: {}, streamResumable: true }),
  ];
  await client.runs.join(threadId, resumable.run_id);
  await sweep();

  expect(await collect(client.runs.joinStream(threadId, plain.run_id))).toEqual([]);
  expect(await collect(client.runs.joinStream(threadId, resumable.run_id))).not.toEqual([]);
  expect(await client.runs.join(threadId, plain.run_id)).toMatchObject({ last: "three" });
  expect(await client.runs.get(threadId, plain.run_id)).toMatchObject({ status: "success" });
});

test("the thread of a stateless run goes with its events, checkpoints included", async () => {
  const run = await client.runs.create(null, "steps", { input: {} });
  await collect(client.runs.joinStream(null, run.run_id)).catch(() => []);
  await sweep();
  expect(await exists(run.thread_id)).toBe(false);
  expect(await stored("runs", "run_id", run.run_id)).toBe(0);
  expect(await stored("checkpoints", "thread_id", run.thread_id)).toBe(0);
  expect(await stored("checkpoint_blobs", "thread_id", run.thread_id)).toBe(0);
});

test("a run that has not ended is not swept", async () => {
  const run = await client.runs.create(null, "slow", { input: { until: 3, tickMs: 50 } });
  for await (const { event } of client.runs.joinStream(null, run.run_id)) if (event === "metadata") break;
  await sweep({ threadTtl: { minutes: 1e-9, strategy: "delete" } });
  expect(await stored("runs", "run_id", run.run_id)).toBe(1);
  expect(await client.runs.join(run.thread_id, run.run_id)).toMatchObject({ ticks: 3 });
});

test("a thread that is unused for its time to live is deleted, and its own time to live overrides the common rule", async () => {
  const [old, used, longer, shorter] = [
    await threadWithHistory(),
    await threadWithHistory(),
    await threadWithHistory({ ttl: 300 }),
    await threadWithHistory({ ttl: { ttl: 30, strategy: "delete" } }),
  ];
  await unusedFor(120, old, used, longer);
  await unusedFor(45, shorter);
  await client.threads.update(used, { metadata: { seen: true } });
  await sweep({ threadTtl: { minutes: 60, strategy: "delete" } });

  expect(await Promise.all([old, used, longer, shorter].map(exists))).toEqual([false, true, true, false]);
  for (const table of ["runs", "checkpoints", "checkpoint_blobs"]) expect(await stored(table, "thread_id", old)).toBe(0);
  await forget(used, longer);
});

test("a thread keeps its latest state if its rule says so, once for each time it was used", async () => {
  const threadId = await threadWithHistory({ ttl: { ttl: 0.5, strategy: "keep_latest" } as never });
  const { values } = await client.threads.getState(threadId);
  await unusedFor(1, threadId);
  await sweep();
  expect(await client.threads.getHistory(threadId)).toMatchObject([{ values }]);
  expect(await surveyRemoval(db, {})).toMatchObject({ reducedThreads: 0 });

  await client.runs.wait(threadId, "steps", { input: {} });
  expect(
    await whileNobodySweeps(async () => {
      await unusedFor(1, threadId);
      return surveyRemoval(db, {});
    }),
  ).toMatchObject({ reducedThreads: 1, checkpoints: 5 });
  await sweep();
  expect(await client.threads.getHistory(threadId)).toHaveLength(1);
  await forget(threadId);
});

test("a thread that one common rule trimmed to its latest state is deleted when the rule changes to delete", async () => {
  const threadId = await threadWithHistory();
  await unusedFor(120, threadId);
  await sweep({ threadTtl: { minutes: 60, strategy: "keep_latest" } });
  expect(await client.threads.getHistory(threadId)).toHaveLength(1);
  await sweep({ threadTtl: { minutes: 60, strategy: "delete" } });
  expect(await exists(threadId)).toBe(false);
});

test("a thread whose run waits is not touched, however long it has been waiting", async () => {
  const threadId = await threadWithHistory({ ttl: 1 });
  const { run_id: runId } = await client.runs.create(threadId, "steps", { input: {}, afterSeconds: 600 });
  await unusedFor(120, threadId);
  await sweep({ threadTtl: { minutes: 60, strategy: "delete" }, keepCheckpoints: 1 });
  expect(await client.runs.get(threadId, runId)).toMatchObject({ status: "pending" });
  expect(await client.threads.getHistory(threadId)).toHaveLength(5);
  await client.runs.cancel(threadId, runId, true);
  await forget(threadId);
});

test("a thread keeps at most the configured number of checkpoints, and is not counted again until it is used", async () => {
  const threadId = await threadWithHistory();
  await client.runs.wait(threadId, "steps", { input: { log: ["b"] } });
  const before = await client.threads.getHistory(threadId, { limit: 100 });
  const rules = { keepCheckpoints: 3 };
  expect(await surveyRemoval(db, rules)).toMatchObject({ checkpoints: expect.toSatisfy((count: number) => count >= before.length - 3) });
  await sweep(rules);
  expect(await client.threads.getHistory(threadId)).toEqual(before.slice(0, 3));
  expect(await surveyRemoval(db, rules)).toMatchObject({ checkpoints: 0 });
  expect(await findUntrimmedThreads(db, 10)).toEqual([]);

  expect(await client.runs.wait(threadId, "steps", { input: { log: ["c"] } })).toMatchObject({ last: "three" });
  await sweep(rules);
  expect(await client.threads.getHistory(threadId)).toHaveLength(3);
  await forget(threadId);
});

test("the room of many checkpoints that went is used again without waiting for autovacuum", async () => {
  const threadId = await threadWithHistory();
  const { rows } = await db.query("select oid from pg_class where relname = 'checkpoints'");
  const vacuumed = async () => Number((await db.query("select pg_stat_get_vacuum_count($1) as count", [rows[0].oid])).rows[0].count);
  const before = await vacuumed();
  await until(async () => {
    await db.query(
      `insert into checkpoints (thread_id, checkpoint_ns, checkpoint_id, checkpoint, metadata)
       select thread_id, '', '0' || md5(n::text || random()::text), checkpoint, metadata from generate_series(1, 1200) n,
              (select * from checkpoints where thread_id = $1 limit 1) one`,
      [threadId],
    );
    await client.threads.update(threadId, { metadata: {} });
    expect(await trimOnce(db, 1)).not.toBe(0);
    return (await vacuumed()) > before;
  });
  expect(await client.threads.getHistory(threadId)).toHaveLength(1);
  await forget(threadId);
});

test("a run that appears while its thread is being found for the sweep is seen once the thread is held", async () => {
  const threadId = await threadWithHistory();
  await transaction(db, async (tx) => {
    expect(await findUntrimmedThreads(tx, 10)).toContain(threadId);
    expect(await withoutOpenRuns(tx, [threadId])).toEqual([threadId]);
    await db.query(
      `insert into runs (run_id, thread_id, assistant_id, multitask_strategy, metadata, kwargs, run_at, events_kept_secs)
       select gen_random_uuid(), thread_id, assistant_id, multitask_strategy, metadata, kwargs, now() + interval '1 day', 0
         from runs where thread_id = $1`,
      [threadId],
    );
    expect(await withoutOpenRuns(tx, [threadId])).toEqual([]);
  });
});

test("runs that are created while their threads are trimmed and expire miss nothing", async () => {
  const threadIds = await Promise.all(
    Array.from({ length: 8 }, () => threadWithHistory({ ttl: { ttl: 1e-6, strategy: "keep_latest" } as never })),
  );
  const busy = Promise.all(
    threadIds.map(async (threadId) => {
      for (let round = 0; round < 8; round++) await client.runs.wait(threadId, "steps", { input: { log: ["more"] } });
    }),
  );
  let done = false;
  void busy.finally(() => (done = true));
  while (!done) await sweepOnce(db, { keepCheckpoints: 1 });
  await busy;
  await sweep({ keepCheckpoints: 1 });
  for (const threadId of threadIds) {
    const [state, ...older] = await client.threads.getHistory<{ log: string[] }>(threadId);
    expect({ log: state?.values.log.length, older: older.length }).toEqual({ log: 36, older: 0 });
  }
  await forget(...threadIds);
});

test("one process at a time sweeps", async () => {
  const threadId = await threadWithHistory({ ttl: 1 });
  await sweep();
  const other = await db.connect();
  await other.query("begin");
  await until(async () => (await other.query("select pg_try_advisory_xact_lock(7201915) as taken")).rows[0].taken);
  await unusedFor(120, threadId);
  expect(await sweepOnce(db)).toBeUndefined();
  expect(await exists(threadId)).toBe(true);
  await other.query("rollback");
  other.release();
  await sweep();
  expect(await exists(threadId)).toBe(false);
});

test("dead letters go after their days, and those that are being redriven stay", async () => {
  const letter = (state: string, age: string, kind = "task") =>
    db.query(
      `insert into dead_letters (letter_id, kind, run_id, item, assistant_id, error, state, state_at)
       values (gen_random_uuid(), $3, gen_random_uuid(), 'i', gen_random_uuid(), '{}', $1, now() - $2::interval)`,
      [state, age, kind],
    );
  for (const state of ["dead", "redriven", "discarded", "redriving"]) await letter(state, "31 days");
  await letter("dead", "29 days");
  expect(await surveyRemoval(db, { deadLetterDays: 30 })).toMatchObject({ deadLetters: expect.toBeOneOf([0, 3]) }); // the service sweeps too
  await sweep({ deadLetterDays: 30 });
  const { rows } = await db.query("select state from dead_letters order by state_at");
  expect(rows.map(({ state }) => state)).toEqual(["redriving", "dead"]);
});

test("plans go after their days without a change, with their subtasks", async () => {
  const plan = async (age: string) => {
    const { rows } = await db.query(
      "insert into plans (plan_id, type, updated_at) values (gen_random_uuid(), 't', now() - $1::interval) returning plan_id",
      [age],
    );
    await db.query("insert into plan_tasks (plan_id, task_id, place, title) values ($1, 'a', 1, 'a')", [rows[0].plan_id]);
    return rows[0].plan_id as string;
  };
  const [old, young] = [await plan("31 days"), await plan("29 days")];
  await sweep({ planDays: 30 });
  expect(await stored("plans", "plan_id", old)).toBe(0);
  expect(await stored("plan_tasks", "plan_id", old)).toBe(0);
  expect(await stored("plan_tasks", "plan_id", young)).toBe(1);
});
