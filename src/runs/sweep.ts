import { type Db, sql } from "../db/sql.ts";

/** Drops the events and the output of runs whose retention is over, at most `limit` runs at a time. Returns how many there were. */
export async function sweepEvents(db: Db, limit: number): Promise<number> {
  const { rowCount } = await db.query(sql`
    with spent as (
      select run_id from runs where events_until <= now() order by events_until limit ${limit} for update skip locked),
    dropped as (
      delete from run_events using spent where run_events.run_id = spent.run_id)
    update runs set events_until = null, output = null from spent where runs.run_id = spent.run_id`);
  return rowCount ?? 0;
}
