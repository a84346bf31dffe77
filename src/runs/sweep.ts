import { type Db, sql } from "../db/sql.ts";
import { endingUnfinished } from "./unfinished.ts";

/**
 * Deletes the events and the output of runs whose retention time has passed. Handles at most `limit` runs, and returns the number of these
 * runs.
 */
export async function sweepEvents(db: Db, limit: number): Promise<number> {
  const { rowCount } = await db.query(sql`
    with spent as (
      select run_id from runs where events_until <= now() order by events_until limit ${limit} for update skip locked),
    dropped as (
      delete from run_events using spent where run_events.run_id = spent.run_id)
    update runs set events_until = null, output = null from spent where runs.run_id = spent.run_id`);
  return rowCount ?? 0;
}

/** Returns the number of runs whose events `sweepEvents` would delete now. */
export async function countSpentEvents(db: Db): Promise<number> {
  const { rows } = await db.query<{ count: number }>(sql`select count(*)::integer as count from runs where events_until <= now()`);
  return rows[0]?.count ?? 0;
}

/** Returns the error of a run that took too long. */
export const timeoutError = (seconds: number) => ({
  error: "TimeoutError",
  message: `The run took longer than ${seconds} s (BG_JOB_TIMEOUT_SECS).`,
});

/**
 * Ends runs that have exceeded their time limit by five seconds. Normally, a run's own worker ends it first. This function is for a worker
 * that hangs or whose event loop is blocked. That worker then loses the right to write for the run. Returns the ids of the ended runs.
 */
export async function timeOutRuns(db: Db, seconds: number): Promise<string[]> {
  const overdue = sql`
    select run_id, thread_id from runs r join threads t using (thread_id)
     where status = 'running' and started_at < now() - make_interval(secs => ${seconds + graceSeconds})
       for no key update of t skip locked for no key update of r skip locked`;
  return endingUnfinished(db, overdue, "timeout", timeoutError(seconds));
}

const graceSeconds = 5;
