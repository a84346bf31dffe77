import type { User } from "../auth/user.ts";
import type { Fence } from "../db/fence.ts";
import { type Db, prepared, sql } from "../db/sql.ts";
import type { CancelAction, Json, RunKwargs } from "./run.ts";

/** The right to execute a run, and everything that its attempt needs to know. */
export interface Claim extends Fence {
  threadId: string;
  assistantId: string;
  /** A cancellation from before this attempt. It is carried out instead of the run. */
  cancel: CancelAction | null;
  metadata: Json;
  kwargs: RunKwargs;
  /** The user that the run belongs to. */
  user: User | null;
  /** How many workers in a row died on it without progress. */
  crashes: number;
  /** Seconds since the run was created, and since it first started. */
  waitedSeconds: number;
  /** Seconds since it could first have been claimed. */
  dueSeconds: number;
  ranSeconds: number;
  /** True if its thread has no stored state yet, so that nobody needs to look for it. */
  isFresh: boolean;
  /** The trace spans of the request and of the attempt before. */
  traceparent: string | null;
  attemptSpan: string | null;
}

export interface ClaimLimits {
  /** The graphs that this worker has. */
  graphs: string[];
  slots: number;
  /** How many runs may be claimed that are before their last attempt. */
  suspects: number;
  /** A run is given up after this many crashes. */
  maxCrashes: number;
}

/** How many more runs a claim looks at than it takes, because other workers may hold the threads of the first ones. */
const spare = 32;

/**
 * Claims up to `slots` due runs of the worker's graphs, oldest first.
 *
 * It reads only the heads of threads (see migration 032), once for each graph. So long queues, and runs of graphs that this worker lacks,
 * cost nothing. A cancelled run needs no graph: any worker may carry the cancellation out. Runs before their last attempt are handed out
 * one at a time, so that a run that kills its worker takes no other run with it.
 *
 * The claim locks thread rows and skips those that are locked. The check of the locked run row and the unique index on running runs
 * decide in the end. The start time is clock_timestamp(), because now() is the time when the statement arrived, and the run before may have
 * ended after that. The run takes the base of its event numbers from the locked thread.
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

/** Returns a run to the queue for another attempt. Locks the thread first, as every statement does. False if the right was already lost. */
export async function releaseRun(db: Db, { runId, attempt }: Fence): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    with thread as (
      select thread_id from threads where thread_id = (select thread_id from runs where run_id = ${runId}) for no key update)
    update runs set status = 'pending', worker_id = null, updated_at = now()
      from thread
     where runs.thread_id = thread.thread_id and run_id = ${runId} and attempt = ${attempt} and status = 'running'`);
  return rowCount !== 0;
}

/** A run that a worker holds by the database, and the cancellation that was asked of it. */
export interface HeldRun extends Fence {
  cancel: CancelAction | null;
}
