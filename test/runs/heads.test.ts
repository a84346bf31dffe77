import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { ensureSystemAssistants } from "../../src/assistants/assistants.ts";
import { systemAssistantId } from "../../src/db/ids.ts";
import { everything } from "../../src/db/scope.ts";
import { type Sql, transaction } from "../../src/db/sql.ts";
import { cancelOpenRuns } from "../../src/runs/cancel.ts";
import { type Claim, claimRuns, releaseRun } from "../../src/runs/claim.ts";
import { endRun } from "../../src/runs/end.ts";
import { repairHeads } from "../../src/runs/heads.ts";
import { takeOver } from "../../src/runs/workers.ts";
import { lockThread } from "../../src/threads/threads.ts";
import { createDatabase } from "../database.ts";

const db = new pg.Pool({ connectionString: await createDatabase(), max: 20 });
const [assistantId, workerId] = [systemAssistantId("steps"), randomUUID()];

beforeAll(async () => {
  await ensureSystemAssistants(db, [{ graph_id: "steps", name: "steps", description: undefined, config: {}, context: {} }]);
  await db.query("insert into workers (worker_id, lock_key, host, pid) values ($1, 1, 'here', 1)", [workerId]);
});
afterEach(async () => {
  expect(await deviations()).toEqual([]);
  await db.query("delete from threads");
});
afterAll(() => db.end());

/** Returns the threads whose head is not their first pending run, or that have a head while a run is running. */
async function deviations(): Promise<object[]> {
  const { rows } = await db.query(`
    select thread_id, array_agg(run_id) filter (where head) as heads,
           case when count(*) filter (where status = 'running') = 0
                then (array_agg(run_id order by run_at, seq) filter (where status = 'pending'))[1:1] end as wanted
      from runs group by thread_id`);
  return rows.filter(({ heads, wanted }) => JSON.stringify(heads) !== JSON.stringify(wanted));
}

async function newThread(): Promise<string> {
  const { rows } = await db.query("insert into threads (thread_id) values (gen_random_uuid()) returning thread_id");
  return rows[0].thread_id;
}

/** Creates a run as the API does, under the thread's lock. */
async function create(threadId: string, afterSeconds = 0): Promise<string> {
  return transaction(db, async (tx) => {
    await lockThread(tx, everything, threadId);
    const { rows } = await tx.query(
      `insert into runs (run_id, thread_id, assistant_id, graph_id, multitask_strategy, metadata, kwargs, run_at, events_kept_secs)
       values (gen_random_uuid(), $1, $2, 'steps', 'enqueue', '{}', '{"config": {}}', now() + make_interval(secs => $3), 60) returning run_id`,
      [threadId, assistantId, afterSeconds],
    );
    return rows[0].run_id;
  });
}

const claim = async (slots = 1, graphs = ["steps"]) =>
  (await claimRuns(db, workerId, { graphs, slots, suspects: 1, maxCrashes: 3, isLimited: false })).claims;
const end = (one: Claim) => endRun(db, { ...one, end: { status: "success", output: null, error: null, thread: { status: "idle" } } });
const idsOf = (claims: Claim[]) => claims.map(({ runId }) => runId);
const headOf = async (threadId: string) =>
  (await db.query("select run_id from runs where thread_id = $1 and head", [threadId])).rows[0]?.run_id;

test("the runs of a thread are claimed one after the other, in the order in which they are due", async () => {
  const threadId = await newThread();
  const ids = [await create(threadId), await create(threadId), await create(threadId)];
  for (const id of ids) {
    expect(await headOf(threadId)).toBe(id);
    const claims = await claim(5);
    expect(idsOf(claims)).toEqual([id]);
    expect(await headOf(threadId)).toBeUndefined();
    expect(await claim(5)).toEqual([]);
    await end(claims[0] as Claim);
  }
});

test("a run that is due before the head takes its place", async () => {
  const threadId = await newThread();
  const later = await create(threadId, 600);
  expect(await headOf(threadId)).toBe(later);
  const sooner = await create(threadId);
  expect(await headOf(threadId)).toBe(sooner);
  expect(idsOf(await claim(5))).toEqual([sooner]);
});

test("a run that is given back is the head again, before those that came after it", async () => {
  const threadId = await newThread();
  const first = await create(threadId);
  const [claimed] = await claim();
  await create(threadId);
  expect(await releaseRun(db, claimed as Claim)).toBe(true);
  expect(await headOf(threadId)).toBe(first);
});

test("cancelling and deleting pending runs moves the head on", async () => {
  const threadId = await newThread();
  const ids = [await create(threadId), await create(threadId), await create(threadId, 600)];
  await transaction(db, async (tx) => {
    await lockThread(tx, everything, threadId);
    await cancelOpenRuns(tx, [threadId], "interrupt", [ids[0] ?? ""]);
  });
  expect(await headOf(threadId)).toBe(ids[1]);
  await db.query("delete from runs where run_id = $1", [ids[1]]);
  expect(await headOf(threadId)).toBe(ids[2]);
  await db.query("delete from runs where run_id = $1", [ids[2]]);
  expect(await headOf(threadId)).toBeUndefined();
});

test("one statement can give all pending runs of a thread an earlier due time", async () => {
  const threadId = await newThread();
  for (const afterSeconds of [600, 500, 700, 400]) await create(threadId, afterSeconds);
  await db.query("update runs set run_at = now(), attempt = 1, started_at = now() where thread_id = $1", [threadId]);
  expect(await deviations()).toEqual([]);
});

test("a takeover gives the runs of a dead worker back as heads", async () => {
  const threads = [await newThread(), await newThread()];
  const ids = [await create(threads[0] ?? ""), await create(threads[1] ?? "")];
  await create(threads[0] ?? "");
  await claim(5);
  expect((await takeOver(db, [workerId], true)).sort()).toEqual(ids.toSorted());
  await db.query("insert into workers (worker_id, lock_key, host, pid) values ($1, 1, 'here', 1) on conflict do nothing", [workerId]);
  expect(idsOf(await claim(5)).sort()).toEqual(ids.toSorted());
});

test("an assistant is deleted with its runs, and the runs of others on the same threads move on", async () => {
  const threadId = await newThread();
  const { rows } = await db.query(
    "insert into assistants (assistant_id, graph_id, name) values (gen_random_uuid(), 'steps', 'mine') returning assistant_id",
  );
  await create(threadId);
  await db.query("update runs set assistant_id = $1", [rows[0].assistant_id]);
  const other = await create(threadId);
  await db.query("delete from assistants where assistant_id = $1", [rows[0].assistant_id]);
  expect(await headOf(threadId)).toBe(other);
});

test("workers of the previous release, which do not know heads, leave every thread with the right head", async () => {
  const threadId = await newThread();
  const [first, second] = [await create(threadId), await create(threadId)];
  const asBefore = (set: string) => db.query(`update runs set ${set} where run_id = $1`, [first]);
  await asBefore(`status = 'running', attempt = 1, started_at = now(), worker_id = '${workerId}'`);
  expect(await deviations()).toEqual([]);
  await asBefore("status = 'pending', worker_id = null");
  expect(await headOf(threadId)).toBe(first);
  await asBefore(`status = 'running', attempt = 2, worker_id = '${workerId}'`);
  await asBefore("status = 'success', worker_id = null, ended_at = now()");
  expect(await headOf(threadId)).toBe(second);
});

test("heads stay right while many create, claim, end, release and cancel at once", async () => {
  const threads = await Promise.all(Array.from({ length: 6 }, newThread));
  const deadline = performance.now() + 3_000;
  const pick = () => threads[Math.floor(Math.random() * threads.length)] ?? "";
  const loop = async (work: () => Promise<unknown>) => {
    let times = 0;
    while (times++ < 20 || performance.now() < deadline) await work();
  };
  const finish = async () => {
    for (const one of await claim(3)) await (Math.random() < 0.3 ? releaseRun(db, one) : end(one));
  };
  const cancel = async () => {
    const threadId = pick();
    await transaction(db, async (tx) => {
      await lockThread(tx, everything, threadId);
      await cancelOpenRuns(tx, [threadId], Math.random() < 0.5 ? "interrupt" : "rollback");
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const creators = Array.from({ length: 4 }, () => loop(() => create(pick(), Math.random() < 0.2 ? 0.05 : 0)));
  await Promise.all([...creators, ...Array.from({ length: 4 }, () => loop(finish)), loop(cancel)]);
  expect(await deviations()).toEqual([]);
});

test("a repair puts back the head of a thread that lost it, and takes away one too many", async () => {
  const [lost, wrong] = [await newThread(), await newThread()];
  for (const threadId of [lost, wrong]) for (let n = 0; n < 2; n++) await create(threadId);
  await db.query("update runs set head = false where thread_id = $1", [lost]);
  await db.query("update runs set head = false where thread_id = $1", [wrong]);
  await db.query("update runs set head = true where run_id = (select run_id from runs where thread_id = $1 order by seq desc limit 1)", [
    wrong,
  ]);
  expect(await deviations()).toHaveLength(2);
  expect(await repairHeads(db)).toBe(2);
  expect(await repairHeads(db)).toBe(0);
});

/** Returns how many blocks of the database a claim reads. The claim is rolled back. */
async function blocksOfClaim(): Promise<number> {
  const tx = await db.connect();
  let blocks = 0;
  const explained = {
    async query({ text, values }: Sql) {
      const { rows } = await tx.query(`explain (analyze, buffers, format json) ${text}`, values);
      const { Plan } = rows[0]["QUERY PLAN"][0];
      blocks = Plan["Shared Hit Blocks"] + Plan["Shared Read Blocks"];
      return { rows: [], rowCount: 0 };
    },
  };
  await tx.query("begin");
  await claimRuns(explained, workerId, { graphs: ["steps"], slots: 5, suspects: 1, maxCrashes: 3, isLimited: false });
  await tx.query("rollback");
  tx.release();
  return blocks;
}

test("a claim touches as little when 5,000 runs wait behind each other as when they have threads of their own", async () => {
  const fill = async (threads: number, each: number) => {
    await db.query(
      `with made as (insert into threads (thread_id) select gen_random_uuid() from generate_series(1, $1::integer) returning thread_id)
       insert into runs (run_id, thread_id, assistant_id, graph_id, multitask_strategy, metadata, kwargs, events_kept_secs)
       select gen_random_uuid(), thread_id, $3, 'steps', 'enqueue', '{}', '{}', 60 from made cross join generate_series(1, $2::integer)`,
      [threads, each, assistantId],
    );
    await db.query("vacuum analyze runs, threads");
  };
  await fill(5_000, 1);
  const apart = await blocksOfClaim();
  await db.query("delete from threads");
  await fill(5, 1_000);
  expect(await blocksOfClaim()).toBeLessThan(2 * apart);
  expect(await claim(10)).toHaveLength(5);
});

test("runs of a graph that a worker lacks do not delay its other runs, and any worker takes a cancelled run", async () => {
  const threads = await Promise.all(Array.from({ length: 60 }, newThread));
  const ids = await Promise.all(threads.map((threadId) => create(threadId)));
  const mine = ids.at(-1) ?? "";
  await db.query("update runs set graph_id = 'other' where run_id <> $1", [mine]);
  expect(idsOf(await claim(10))).toEqual([mine]);
  await db.query("update runs set cancel = 'interrupt', attempt = 1, started_at = now() where run_id = $1", [ids[7]]);
  expect(idsOf(await claim(10))).toEqual([ids[7]]);
});
