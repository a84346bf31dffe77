import { type Db, sql } from "../db/sql.ts";
import type { RunStatus } from "./run.ts";

/** The length of the queue, and the number of live workers. Runs are counted only up to a limit, so that a long queue costs little. */
export interface QueueFigures {
  /** The number of pending runs that are due now. */
  due: number;
  /** The number of pending runs that are due later. */
  delayed: number;
  running: number;
  /** The number of seconds that the oldest due run has waited, or 0 if no run is due. */
  oldestDueSeconds: number;
  /** The number of workers that renewed their lease in time. */
  workers: number;
}

const mostCounted = 100_000;

export async function readQueue(db: Db, leaseSeconds: number): Promise<QueueFigures> {
  const { rows } = await db.query<QueueFigures>(sql`
    select (select count(*)::integer from (select from runs where status = 'pending' and run_at <= now() limit ${mostCounted}) d) as due,
           (select count(*)::integer from (select from runs where status = 'pending' and run_at > now() limit ${mostCounted}) d) as delayed,
           (select count(*)::integer from runs where status = 'running') as running,
           (select coalesce(extract(epoch from now() - min(run_at)), 0)::double precision
              from runs where status = 'pending' and run_at <= now()) as "oldestDueSeconds",
           (select count(*)::integer from workers where heartbeat_at > now() - make_interval(secs => ${leaseSeconds})) as workers`);
  return rows[0] as QueueFigures;
}

/**
 * If the table has fewer rows than this number, the runs are counted exactly. In a larger table, the planner's statistics give an estimate,
 * so that the cost does not grow with the table.
 */
const mostExact = 20_000;

/** Returns the number of runs with each status. In a large table, the numbers are the planner's estimates. */
export async function readRunCounts(db: Db): Promise<{ status: RunStatus; runs: number }[]> {
  const { rows } = await db.query<{ status: RunStatus; runs: number }>(sql`
    with size as (select reltuples from pg_class where oid = 'runs'::regclass)
    select status, count(*)::double precision as runs
      from (select status from runs where (select reltuples from size) < ${mostExact} limit ${mostExact}) few group by status
    union all
    select usual.status, size.reltuples * usual.share
      from size, pg_stats s, unnest(s.most_common_vals::text::run_status[], s.most_common_freqs) as usual (status, share)
     where size.reltuples >= ${mostExact} and s.tablename = 'runs' and s.attname = 'status'
       and s.schemaname = (select relnamespace::regnamespace::text from pg_class where oid = 'runs'::regclass)`);
  return rows;
}
