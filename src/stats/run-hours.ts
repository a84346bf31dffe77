import { type Db, sql } from "../db/sql.ts";
import { chosen, type StatsFilter } from "./agent-hours.ts";
import type { Counts } from "./histogram.ts";
import { hourNow, keptDays } from "./hours.ts";

/** Sums over the runs of one graph during a period. */
export interface RunCounts {
  graphId: string;
  created: number;
  succeeded: number;
  failed: number;
  interrupted: number;
  conflicts: number;
  durations: Counts;
  waits: Counts;
}

/** Adds counts to the sums of the current hour, in one statement. Locks the rows in the order of their key to prevent deadlocks. */
export async function addRunHours(db: Db, counts: RunCounts[]): Promise<void> {
  await db.query(sql`
    insert into run_hours as known (hour, graph_id, created, succeeded, failed, interrupted, conflicts, durations, waits)
    select ${hourNow}, "graphId", created, succeeded, failed, interrupted, conflicts, durations, waits
      from json_to_recordset(${JSON.stringify(counts)}::json) as given ("graphId" text, created bigint, succeeded bigint, failed bigint,
           interrupted bigint, conflicts bigint, durations bigint[], waits bigint[])
     order by "graphId"
        on conflict (hour, graph_id) do update
       set created = known.created + excluded.created, succeeded = known.succeeded + excluded.succeeded, failed = known.failed + excluded.failed,
           interrupted = known.interrupted + excluded.interrupted, conflicts = known.conflicts + excluded.conflicts,
           durations = add_counts(known.durations, excluded.durations), waits = add_counts(known.waits, excluded.waits)`);
}

/** Returns the sums of each graph, sorted by the id of the graph. */
export async function readRunHours(db: Db, filter: StatsFilter): Promise<RunCounts[]> {
  const { rows } = await db.query<RunCounts>(sql`
    select graph_id as "graphId", sum(created)::double precision as created, sum(succeeded)::double precision as succeeded,
           sum(failed)::double precision as failed, sum(interrupted)::double precision as interrupted,
           sum(conflicts)::double precision as conflicts, sum_counts(durations)::double precision[] as durations,
           sum_counts(waits)::double precision[] as waits
      from run_hours where ${chosen(filter)} group by graph_id order by graph_id`);
  return rows;
}

/** Deletes up to `limit` rows whose hour is more than `keptDays` days ago. Returns the number of deleted rows. */
export async function sweepRunHours(db: Db, limit: number): Promise<number> {
  const { rowCount } = await db.query(sql`
    delete from run_hours where (hour, graph_id) in (select hour, graph_id from run_hours where ${isOld} order by hour limit ${limit})`);
  return rowCount ?? 0;
}

export async function countOldRunHours(db: Db): Promise<number> {
  const { rows } = await db.query<{ count: number }>(sql`select count(*)::integer as count from run_hours where ${isOld}`);
  return rows[0]?.count ?? 0;
}

const isOld = sql`hour < now() - make_interval(days => ${keptDays})`;
