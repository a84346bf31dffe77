import { type Db, nothing, sql } from "../db/sql.ts";

/** The last check of a threshold by a run of a graph. */
export interface AlertCheck {
  graphId: string;
  alert: string;
  value: number;
  threshold: number;
  isCrossed: boolean;
  runId: string;
  /** How many runs have crossed the threshold since the last time that checks were stored. */
  crossings: number;
}

/** An alert of a graph. */
export interface Alert {
  graph: string;
  alert: string;
  /** Whether the last run that was checked has crossed the threshold. */
  active: boolean;
  /** The figure of the run that crossed the threshold last. */
  value: number;
  threshold: number;
  run_id: string;
  crossings: number;
  crossed_at: Date;
}

/**
 * Stores the last checks. A crossed threshold sets its alert. A run within the threshold ends an alert, and stores nothing if there is none.
 * Rows are locked in the order of the key.
 */
export async function storeAlerts(db: Db, checks: AlertCheck[]): Promise<void> {
  await db.query(sql`
    insert into alerts as known (graph_id, alert, is_active, value, threshold, run_id, crossings)
    select given."graphId", given.alert, "isCrossed", given.value, given.threshold, "runId", given.crossings
      from json_to_recordset(${JSON.stringify(checks)}::json) as given ("graphId" text, alert text, "isCrossed" boolean, value double precision,
           threshold double precision, "runId" uuid, crossings bigint)
      left join alerts stored on stored.graph_id = given."graphId" and stored.alert = given.alert
     where given.crossings > 0 or stored.is_active
     order by given."graphId", given.alert
        on conflict (graph_id, alert) do update
       set is_active = excluded.is_active, crossings = known.crossings + excluded.crossings,
           value = case when excluded.crossings > 0 then excluded.value else known.value end,
           threshold = case when excluded.crossings > 0 then excluded.threshold else known.threshold end,
           run_id = case when excluded.crossings > 0 then excluded.run_id else known.run_id end,
           crossed_at = case when excluded.crossings > 0 then now() else known.crossed_at end`);
}

/** Returns the alerts of a graph, or of all graphs. There are at most 1,000. */
export async function listAlerts(db: Db, graph?: string): Promise<Alert[]> {
  const { rows } = await db.query<Alert>(sql`
    select graph_id as graph, alert, is_active as active, value, threshold, run_id, crossings::double precision as crossings, crossed_at
      from alerts ${graph === undefined ? nothing : sql`where graph_id = ${graph}`}
     order by is_active desc, graph_id, alert limit 1000`);
  return rows;
}
