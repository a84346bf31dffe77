import { type Db, nothing, sql } from "../db/sql.ts";

/**
 * The checks of one threshold in one graph since the last time that checks were stored. Each check compares a measured value of one run
 * with the threshold.
 */
export interface AlertCheck {
  graphId: string;
  alert: string;
  value: number;
  threshold: number;
  isCrossed: boolean;
  runId: string;
  /** The number of checked runs that crossed the threshold. */
  crossings: number;
}

/** An alert of a graph, which reports that runs have crossed a threshold. */
export interface Alert {
  graph: string;
  alert: string;
  /** True if the last checked run crossed the threshold. */
  active: boolean;
  /** The measured value of the last run that crossed the threshold. `threshold`, `run_id` and `crossed_at` are also those of that run. */
  value: number;
  threshold: number;
  run_id: string;
  crossings: number;
  crossed_at: Date;
}

/** The receiver of the webhooks that report alerts. */
export interface AlertReceiver {
  url: string;
  /** The host of the URL, by which deliveries are grouped. */
  host: string;
}

/**
 * Stores the results of checks. An alert is active if the last checked run crossed the threshold. If an alert becomes active or inactive, a
 * trigger stores a webhook to the receiver in the same statement. A result without crossings never creates an alert. It can only make an
 * active alert inactive. Locks the rows in the order of their key to prevent deadlocks.
 */
export async function storeAlerts(db: Db, checks: AlertCheck[], receiver?: AlertReceiver): Promise<void> {
  await db.query(sql`
    insert into alerts as known (graph_id, alert, is_active, value, threshold, run_id, crossings, webhook, webhook_host)
    select given."graphId", given.alert, "isCrossed", given.value, given.threshold, "runId", given.crossings,
           ${receiver?.url ?? null}::text, ${receiver?.host ?? null}::text
      from json_to_recordset(${JSON.stringify(checks)}::json) as given ("graphId" text, alert text, "isCrossed" boolean, value double precision,
           threshold double precision, "runId" uuid, crossings bigint)
      left join alerts stored on stored.graph_id = given."graphId" and stored.alert = given.alert
     where given.crossings > 0 or stored.is_active
     order by given."graphId", given.alert
        on conflict (graph_id, alert) do update
       set is_active = excluded.is_active, crossings = known.crossings + excluded.crossings, webhook = excluded.webhook,
           webhook_host = excluded.webhook_host,
           value = case when excluded.crossings > 0 then excluded.value else known.value end,
           threshold = case when excluded.crossings > 0 then excluded.threshold else known.threshold end,
           run_id = case when excluded.crossings > 0 then excluded.run_id else known.run_id end,
           crossed_at = case when excluded.crossings > 0 then now() else known.crossed_at end`);
}

/** Returns the alerts of a graph, or of all graphs. Returns at most 1,000 alerts, the active alerts first. */
export async function listAlerts(db: Db, graph?: string): Promise<Alert[]> {
  const { rows } = await db.query<Alert>(sql`
    select graph_id as graph, alert, is_active as active, value, threshold, run_id, crossings::double precision as crossings, crossed_at
      from alerts ${graph === undefined ? nothing : sql`where graph_id = ${graph}`}
     order by is_active desc, graph_id, alert limit 1000`);
  return rows;
}
