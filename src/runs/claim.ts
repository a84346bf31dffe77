import type { User } from "../auth/user.ts";
import type { Fence } from "../db/fence.ts";
import { type Db, prepared, sql } from "../db/sql.ts";
import type { CancelAction, Json, RunKwargs } from "./run.ts";

/** The right to execute a run, and all there is to know for it. */
export interface Claim extends Fence {
  threadId: string;
  assistantId: string;
  /** Asked for before this attempt began: it is carried out instead of the run. */
  cancel: CancelAction | null;
  metadata: Json;
  kwargs: RunKwargs;
  /** Who asked for it. */
  user: User | null;
  /** How often a worker died over it without progress. */
  crashes: number;
  /** How many seconds ago the run was created, and first started. */
  waitedSeconds: number;
  /** How many seconds ago it could have been claimed first. */
  dueSeconds: number;
  ranSeconds: number;
  /** Nothing was ever stored of its thread's state, so that nobody need look. */
  isFresh: boolean;
  /** The span in which the run was asked for, and that of the attempt before. */
  traceparent: string | null;
  attemptSpan: string | null;
}

export interface ClaimLimits {
  slots: number;
  /** How many runs may be claimed that stand before their last attempt. */
  suspects: number;
  /** After so many crashes a run is given up. */
  maxCrashes: number;
}

/**
 * Claims up to `slots` due runs, the oldest of each thread that has none running. It locks thread rows and skips those that a creator
 * or another claimer holds, so that none can overtake another; the check of the status on the locked run row, and the unique index on
 * running runs, keep the last word. The start is taken by the clock, not by now(): that is when the statement arrived, which may be before the end of
 * the run that it saw ended. From the thread, as it is once locked, the run takes the number from which its events count. Runs before their last attempt are handed out one by one: whichever kills its worker then was alone.
 */
export async function claimRuns(db: Db, workerId: string, { slots, suspects, maxCrashes }: ClaimLimits): Promise<Claim[]> {
  const suspect = sql`crashes > 0 and crashes >= ${maxCrashes - 1}`;
  const statement = sql`
    with due as (
      select r.run_id, t.event_base
        from runs r join threads t using (thread_id)
       where r.status = 'pending' and r.run_at <= now()
         and (r.cancel is not null or not exists (select from halts))
         and (not (${suspect})
              or r.run_id in (select run_id from runs
                               where status = 'pending' and run_at <= now() and ${suspect}
                                 and thread_id not in (select thread_id from runs where status = 'running')
                               order by run_at, seq limit ${suspects}))
         and not exists (select from runs busy where busy.thread_id = r.thread_id and busy.status = 'running')
         and not exists (select from runs older
                          where older.thread_id = r.thread_id and older.status = 'pending' and older.run_at <= now()
                            and (older.run_at, older.seq) < (r.run_at, r.seq))
       order by r.run_at, r.seq limit ${slots}
         for no key update of t skip locked)
    update runs
       set status = 'running', worker_id = ${workerId}, attempt = attempt + 1, started_at = coalesce(started_at, clock_timestamp()), updated_at = now(),
           event_base = coalesce(runs.event_base, due.event_base)
      from due
     where runs.run_id = due.run_id and runs.status = 'pending'
    returning runs.run_id as "runId", thread_id as "threadId", assistant_id as "assistantId", attempt, crashes, cancel, metadata, kwargs, auth_user as "user",
              traceparent, attempt_span as "attemptSpan",
              extract(epoch from now() - created_at)::double precision as "waitedSeconds",
              extract(epoch from now() - run_at)::double precision as "dueSeconds",
              extract(epoch from clock_timestamp() - started_at)::double precision as "ranSeconds",
              not exists (select from checkpoints where checkpoints.thread_id = runs.thread_id::text) as "isFresh"`;
  const { rows } = await db.query<Claim>(prepared("claim runs", statement));
  return rows;
}

/** Gives a run back to the queue, for another attempt. False when the right is lost already. */
export async function releaseRun(db: Db, { runId, attempt }: Fence): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    update runs set status = 'pending', worker_id = null, updated_at = now()
     where run_id = ${runId} and attempt = ${attempt} and status = 'running'`);
  return rowCount !== 0;
}

/** A run that a worker has, as the database says, and what was asked of it. */
export interface HeldRun extends Fence {
  cancel: CancelAction | null;
}
