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
  /** The graphs that this worker has. */
  graphs: string[];
  slots: number;
  /** How many runs may be claimed that stand before their last attempt. */
  suspects: number;
  /** After so many crashes a run is given up. */
  maxCrashes: number;
}

/** How many more runs a claim looks at than it takes, because other workers may hold the threads of the first ones. */
const spare = 32;

/**
 * Claims up to `slots` due runs of the worker's graphs, oldest first. It reads only the heads of threads (see migration 032), once for each
 * graph, so that neither long queues nor runs of graphs that this worker lacks cost anything. A cancelled run needs no graph: any worker
 * may carry the cancellation out. Runs before their last attempt are handed out one by one: a run that then kills its worker was alone.
 *
 * The claim locks thread rows and skips those that a creator or another worker holds. The check of the status and the head on the locked
 * run row, and the unique index on running runs, keep the last word. The start is the clock's time, not now(), which is the time when the
 * statement arrived: the run before may have ended after that. The run takes the number from which its events count from the locked thread.
 */
export async function claimRuns(db: Db, workerId: string, { graphs, slots, suspects, maxCrashes }: ClaimLimits): Promise<Claim[]> {
  const suspect = sql`crashes > 0 and crashes >= ${maxCrashes - 1}`;
  const columns = sql`run_id, thread_id, run_at, seq`;
  const firstOnes = sql`order by run_at, seq limit ${slots + spare}`;
  const statement = sql`
    with suspects as (
      select run_id from runs
       where head and status = 'pending' and run_at <= now() and graph_id = any(${graphs}::text[]) and ${suspect}
       order by run_at, seq limit ${suspects}),
    first as (
      select ready.* from unnest(${graphs}::text[]) wanted (graph_id)
       cross join lateral (
         select ${columns} from runs
          where head and graph_id = wanted.graph_id and run_at <= now() and not exists (select from halts)
            and (not (${suspect}) or run_id in (select run_id from suspects))
          ${firstOnes}) ready
       union
      (select ${columns} from runs where head and cancel is not null and run_at <= now() ${firstOnes})
       ${firstOnes}),
    due as (
      select first.run_id, t.event_base
        from first join threads t using (thread_id)
       order by first.run_at, first.seq limit ${slots}
         for no key update of t skip locked)
    update runs
       set status = 'running', head = false, worker_id = ${workerId}, attempt = attempt + 1,
           started_at = coalesce(started_at, clock_timestamp()), updated_at = now(), event_base = coalesce(runs.event_base, due.event_base)
      from due
     where runs.run_id = due.run_id and runs.status = 'pending' and runs.head
    returning runs.run_id as "runId", thread_id as "threadId", assistant_id as "assistantId", attempt, crashes, cancel, metadata, kwargs, auth_user as "user",
              traceparent, attempt_span as "attemptSpan",
              extract(epoch from now() - created_at)::double precision as "waitedSeconds",
              extract(epoch from now() - run_at)::double precision as "dueSeconds",
              extract(epoch from clock_timestamp() - started_at)::double precision as "ranSeconds",
              not exists (select from checkpoints where checkpoints.thread_id = runs.thread_id::text) as "isFresh"`;
  const { rows } = await db.query<Claim>(prepared("claim runs", statement));
  return rows;
}

/** Gives a run back to the queue, for another attempt. It locks the thread first, as everyone does. False when the right is lost already. */
export async function releaseRun(db: Db, { runId, attempt }: Fence): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    with thread as (
      select thread_id from threads where thread_id = (select thread_id from runs where run_id = ${runId}) for no key update)
    update runs set status = 'pending', worker_id = null, updated_at = now()
      from thread
     where runs.thread_id = thread.thread_id and run_id = ${runId} and attempt = ${attempt} and status = 'running'`);
  return rowCount !== 0;
}

/** A run that a worker has, as the database says, and what was asked of it. */
export interface HeldRun extends Fence {
  cancel: CancelAction | null;
}
