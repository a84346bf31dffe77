import { type Db, nothing, type Sql, sql } from "../db/sql.ts";
import type { ThreadTtl, TtlStrategy } from "./threads.ts";

export interface ExpiredThread {
  threadId: string;
  strategy: TtlStrategy;
}

/**
 * Selects lasting (not temporary) threads without an open run. On a thread that is not locked, another request may create a run right after
 * this check.
 */
const unused = sql`not temporary
  and not exists (select from runs where runs.thread_id = threads.thread_id and runs.status in ('pending', 'running'))`;

/**
 * Selects threads that have a time to live of their own, which has passed. Leaves out threads that nobody has used since they were reduced
 * to their latest checkpoints. The conditions repeat those of the partial index `threads_own_ttl`, so that Postgres can use that index.
 */
const byOwnRule = sql`${unused} and ttl_minutes is not null and kept_latest_at is distinct from updated_at
  and (updated_at at time zone 'UTC') + make_interval(secs => ttl_minutes * 60) <= now() at time zone 'UTC'`;
/**
 * Selects threads that have no time to live of their own, but have not been used for the default time to live. With the strategy
 * `keep_latest`, leaves out threads that already keep only their latest checkpoints. With the strategy `delete`, includes them.
 */
const byCommonRule = ({ minutes, strategy }: ThreadTtl) => sql`${unused} and ttl_minutes is null
  ${strategy === "keep_latest" ? sql`and kept_latest_at is distinct from updated_at` : nothing}
  and updated_at <= now() - make_interval(secs => ${minutes * 60})`;
const byAnyRule = (common: ThreadTtl | undefined) => (common ? sql`(${byOwnRule} or (${byCommonRule(common)}))` : byOwnRule);
const untrimmed = sql`${unused} and trimmed_at is distinct from updated_at`;

/** Selects temporary threads that no client needs any more: their runs have ended, and the events of these runs have expired. */
const spent = sql`temporary
  and not exists (select from runs where runs.thread_id = threads.thread_id
                     and (runs.ended_at is null or runs.events_until > now()))`;

/** Locks the selected threads until the transaction ends. Skips threads that another transaction has locked. */
const locked = (limit: number) => sql`limit ${limit} for no key update skip locked`;

/**
 * Locks and returns threads whose time to live has passed, which is either their own or the default one (`common`). The caller must check
 * again for open runs before it deletes anything.
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
 * Locks threads that have been used since their old checkpoints were last deleted, and returns their ids. The caller must check again for
 * open runs before it deletes anything.
 */
export async function findUntrimmedThreads(tx: Db, limit: number): Promise<string[]> {
  return idsOf(await tx.query(sql`select thread_id as "threadId" from threads where ${untrimmed} order by updated_at ${locked(limit)}`));
}

/**
 * How far the sweeps have got in checking the temporary threads. Each sweep checks only some of these threads, and the next one continues
 * after them.
 */
export interface Walk {
  /** The number of threads that one sweep checks. Undefined means all threads. */
  step: number | undefined;
  /** The thread that was checked last. Undefined means that the next sweep starts with the oldest thread. */
  last: { updatedAt: string; threadId: string } | undefined;
}

/**
 * Locks temporary threads that no client needs any more, and returns their ids. Checks only the next `walk.step` threads, and moves `walk`
 * behind them. There may be thousands of temporary threads whose runs are waiting, so checking all threads at each sweep would be costly.
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
 * Returns the ids of the threads that have no open run. The caller must already have locked the threads in another statement. That
 * statement may have looked for runs before it got the locks, so it may have missed a run that was created in between.
 */
export async function withoutOpenRuns(tx: Db, threadIds: string[]): Promise<string[]> {
  return idsOf(
    await tx.query(sql`
      select thread_id as "threadId" from threads
       where thread_id = any(${threadIds}::uuid[])
         and not exists (select from runs where runs.thread_id = threads.thread_id and runs.status in ('pending', 'running'))`),
  );
}

/**
 * Records that these threads keep only their latest checkpoints, so that later sweeps can skip them. The record loses its effect when the
 * thread is used again. The caller must hold the locks of the threads.
 */
export async function noteKeptLatest(tx: Db, threadIds: string[]): Promise<void> {
  await tx.query(sql`update threads set kept_latest_at = updated_at where thread_id = any(${threadIds}::uuid[])`);
}

/**
 * Records that the old checkpoints of these threads have been deleted, so that later sweeps can skip them. The record loses its effect when
 * the thread is used again. The caller must hold the locks of the threads.
 */
export async function noteTrimmed(tx: Db, threadIds: string[]): Promise<void> {
  await tx.query(sql`update threads set trimmed_at = updated_at where thread_id = any(${threadIds}::uuid[])`);
}

/** When and how a thread expires, in the form of the official server. */
export interface TtlInfo {
  strategy: TtlStrategy;
  ttl_minutes: number;
  expires_at: Date;
}

/**
 * Returns when and how a thread expires, by its own time to live or else by the default one (`common`). Returns undefined if it never
 * expires.
 */
export async function readTtl(db: Db, threadId: string, common: ThreadTtl | undefined): Promise<TtlInfo | undefined> {
  const { rows } = await db.query<TtlInfo>(sql`
    select strategy, minutes as ttl_minutes, updated_at + make_interval(secs => minutes * 60) as expires_at
      from (select updated_at, coalesce(ttl_minutes, ${common?.minutes ?? null}::double precision) as minutes,
                   case when ttl_minutes is null then ${common?.strategy ?? null}::ttl_strategy else ttl_strategy end as strategy
              from threads where thread_id = ${threadId} and not temporary) rules
     where minutes is not null`);
  return rows[0];
}

/** Returns the number of expired threads for each strategy. Locks no thread. */
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
 * Returns a page of the ids of the threads that would lose old checkpoints by this rule now, sorted by id. Locks no threads, because the
 * caller only counts the checkpoints.
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

/**
 * Turns the temporary thread of a stateless run into a lasting thread. The sweeper deletes the thread when nobody has used it for the given
 * number of minutes.
 */
export async function keepTemporaryThread(db: Db, threadId: string, minutes: number): Promise<void> {
  await db.query(sql`
    update threads set temporary = false, ttl_minutes = ${minutes}, ttl_strategy = 'delete', updated_at = now()
     where thread_id = ${threadId} and temporary`);
}
