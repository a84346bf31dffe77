import { type Db, nothing, type Sql, sql } from "../db/sql.ts";
import type { ThreadTtl, TtlStrategy } from "./threads.ts";

export interface ExpiredThread {
  threadId: string;
  strategy: TtlStrategy;
}

/** Selects threads without an open run. While a thread is not locked, a run may be created on it at any time. */
const unused = sql`not temporary
  and not exists (select from runs where runs.thread_id = threads.thread_id and runs.status in ('pending', 'running'))`;

/**
 * Selects threads whose own time to live is over. Leaves out threads that were already reduced to their latest checkpoints and not used
 * since. The conditions are those of the partial index `threads_own_ttl`, so that Postgres can use it.
 */
const byOwnRule = sql`${unused} and ttl_minutes is not null and kept_latest_at is distinct from updated_at
  and (updated_at at time zone 'UTC') + make_interval(secs => ttl_minutes * 60) <= now() at time zone 'UTC'`;
/**
 * Selects threads whose time to live by the common rule is over. Under `keep_latest`, threads that were already reduced are left out. Under
 * `delete`, all of them are selected, even if they were reduced under an earlier rule.
 */
const byCommonRule = ({ minutes, strategy }: ThreadTtl) => sql`${unused} and ttl_minutes is null
  ${strategy === "keep_latest" ? sql`and kept_latest_at is distinct from updated_at` : nothing}
  and updated_at <= now() - make_interval(secs => ${minutes * 60})`;
const byAnyRule = (common: ThreadTtl | undefined) => (common ? sql`(${byOwnRule} or (${byCommonRule(common)}))` : byOwnRule);
const untrimmed = sql`${unused} and trimmed_at is distinct from updated_at`;

/** Selects temporary threads that no client can return to: their runs have ended, and the events of these runs have expired. */
const spent = sql`temporary
  and not exists (select from runs where runs.thread_id = threads.thread_id
                     and (runs.ended_at is null or runs.events_until > now()))`;

/** Locks the selected threads until the transaction ends. Skips threads that another transaction has locked. */
const locked = (limit: number) => sql`limit ${limit} for no key update skip locked`;

/**
 * Locks and returns threads that have expired by their own rule or by the common rule. The caller must check again for open runs before it
 * acts.
 */
export async function findExpiredThreads(tx: Db, common: ThreadTtl | undefined, limit: number): Promise<ExpiredThread[]> {
  const { rows: own } = await tx.query<ExpiredThread>(sql`
    select thread_id as "threadId", ttl_strategy as strategy from threads where ${byOwnRule} ${locked(limit)}`);
  if (!common) return own;
  const { rows } = await tx.query<ExpiredThread>(sql`
    select thread_id as "threadId", ${common.strategy} as strategy from threads
     where ${byCommonRule(common)} order by updated_at ${locked(limit)}`);
  return [...own, ...rows];
}

/**
 * Locks and returns threads that were used since their checkpoints were last trimmed. The caller must check again for open runs before it
 * acts.
 */
export async function findUntrimmedThreads(tx: Db, limit: number): Promise<string[]> {
  return idsOf(await tx.query(sql`select thread_id as "threadId" from threads where ${untrimmed} order by updated_at ${locked(limit)}`));
}

/** The position of a walk over temporary threads. It is kept from one sweep to the next. */
export interface Walk {
  /** The number of threads that one step of the walk checks. Undefined means all. */
  step: number | undefined;
  /** The last thread that was checked. Undefined means that the walk starts at the oldest thread. */
  last: { updatedAt: string; threadId: string } | undefined;
}

/**
 * Locks and returns temporary threads that no client can return to. Checks one step of the walk, and advances the walk. Checking all
 * temporary threads each time would cost more the longer the queue is, because thousands of them may be waiting there.
 */
export async function findSpentThreads(tx: Db, walk: Walk, limit: number): Promise<string[]> {
  const { updatedAt = "-infinity", threadId = firstId } = walk.last ?? {};
  const step = walk.step ?? null;
  const { rows } = await tx.query<{ threadId: string; updatedAt: string; isSpent: boolean }>(sql`
    select thread_id as "threadId", updated_at::text as "updatedAt", ${spent} as "isSpent"
      from (select * from threads where temporary and (updated_at, thread_id) > (${updatedAt}::timestamptz, ${threadId}::uuid)
             order by updated_at, thread_id limit ${step}) threads
     order by updated_at, thread_id`);
  const found = rows.filter(({ isSpent }) => isSpent).slice(0, limit);
  const reached = found.length === limit ? found.at(-1) : rows.length === step ? rows.at(-1) : undefined;
  walk.last = reached && { updatedAt: reached.updatedAt, threadId: reached.threadId };
  if (found.length === 0) return [];
  return idsOf(
    await tx.query(sql`
      select thread_id as "threadId" from threads where thread_id = any(${idsOf({ rows: found })}::uuid[]) and ${spent} for no key update skip locked`),
  );
}

const firstId = "00000000-0000-0000-0000-000000000000";

/**
 * Returns the locked threads that have no open run. This needs a separate statement. The statement that locked the threads read the runs
 * before it had the locks, and a run may have been created in between.
 */
export async function withoutOpenRuns(tx: Db, threadIds: string[]): Promise<string[]> {
  return idsOf(
    await tx.query(sql`
      select thread_id as "threadId" from threads
       where thread_id = any(${threadIds}::uuid[])
         and not exists (select from runs where runs.thread_id = threads.thread_id and runs.status in ('pending', 'running'))`),
  );
}

/** Marks threads as reduced to their latest checkpoint, until they are used again. The caller holds the locks of the threads. */
export async function noteKeptLatest(tx: Db, threadIds: string[]): Promise<void> {
  await tx.query(sql`update threads set kept_latest_at = updated_at where thread_id = any(${threadIds}::uuid[])`);
}

/** Marks threads as trimmed to the number of checkpoints to keep, until they are used again. The caller holds the locks of the threads. */
export async function noteTrimmed(tx: Db, threadIds: string[]): Promise<void> {
  await tx.query(sql`update threads set trimmed_at = updated_at where thread_id = any(${threadIds}::uuid[])`);
}

/** Returns how many threads each strategy would affect now, without locking them. */
export async function countExpiredThreads(db: Db, common: ThreadTtl | undefined): Promise<Record<TtlStrategy, number>> {
  const { rows } = await db.query<Record<TtlStrategy, number>>(sql`
    with due as (
      select ttl_strategy as strategy from threads where ${byOwnRule}
      ${common ? sql`union all select ${common.strategy}::ttl_strategy from threads where ${byCommonRule(common)}` : nothing})
    select count(*) filter (where strategy = 'delete')::integer as delete,
           count(*) filter (where strategy = 'keep_latest')::integer as keep_latest from due`);
  return rows[0] ?? { delete: 0, keep_latest: 0 };
}

export async function countSpentThreads(db: Db): Promise<number> {
  const { rows } = await db.query<{ count: number }>(sql`select count(*)::integer as count from threads where ${spent}`);
  return rows[0]?.count ?? 0;
}

/**
 * Returns a page of the threads that would now be reduced or trimmed, in the order of their ids. Locks nothing, because the caller only
 * counts.
 */
export async function listThreadsToReduce(
  db: Db,
  rule: "keep_latest" | "trim",
  common: ThreadTtl | undefined,
  { after, limit }: { after: string; limit: number },
): Promise<string[]> {
  const due = rule === "trim" ? sql`${untrimmed} and not (${byAnyRule(common)})` : toKeepLatest(common);
  return idsOf(
    await db.query(sql`
      select thread_id as "threadId" from threads where thread_id > ${after} and ${due} order by thread_id limit ${limit}`),
  );
}

function toKeepLatest(common: ThreadTtl | undefined): Sql {
  const own = sql`(${byOwnRule} and ttl_strategy = 'keep_latest')`;
  return common?.strategy === "keep_latest" ? sql`(${own} or (${byCommonRule(common)}))` : own;
}

function idsOf({ rows }: { rows: object[] }): string[] {
  return (rows as { threadId: string }[]).map((row) => row.threadId);
}
