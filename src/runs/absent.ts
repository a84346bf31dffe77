import { type Db, sql } from "../db/sql.ts";
import { endingUnfinished } from "./unfinished.ts";

/** A graph that a due run needs, but that no live worker has loaded. */
export interface AbsentGraph {
  graphId: string;
  /** True if this call is the first that finds the graph missing. False if an earlier call has already recorded the graph. */
  isNew: boolean;
}

/**
 * An SQL condition that is true if a live worker may have loaded the graph `graph_id`. Workers of the previous release do not report their
 * graphs (`graphs` is null), so each of them may have any graph.
 */
const someWorkerHas = sql`exists (select from workers where graphs is null or graph_id = any(graphs))`;

/**
 * Selects the graphs of the runs that are next on their threads, which the column `head` marks. Reads only one index entry for each graph,
 * so the cost does not grow with the number of runs.
 */
const neededGraphs = sql`
  recursive steps (graph_id) as (
    (select graph_id from runs where head order by graph_id limit 1)
     union all
    select (select runs.graph_id from runs where head and runs.graph_id > steps.graph_id order by runs.graph_id limit 1)
      from steps where steps.graph_id is not null),
  needed as (
    select graph_id from steps
     where graph_id is not null
       and exists (select from runs where head and runs.graph_id = steps.graph_id and run_at <= now()))`;

/**
 * Returns the graphs that due runs need but no live worker has. Records when each of them was first found missing. Deletes the record when
 * a worker has the graph again, or when no due run needs the graph any more.
 */
export async function noteAbsentGraphs(db: Db): Promise<AbsentGraph[]> {
  const { rows } = await db.query<AbsentGraph>(sql`
    with ${neededGraphs},
    absent as (select graph_id from needed where not ${someWorkerHas}),
    found as (
      delete from absent_graphs where graph_id not in (select graph_id from absent)),
    noted as (
      insert into absent_graphs (graph_id) select graph_id from absent on conflict do nothing returning graph_id)
    select graph_id as "graphId", graph_id in (select graph_id from noted) as "isNew" from absent order by graph_id`);
  return rows;
}

/** Counts the threads that wait for each missing graph, up to `limit` threads for each graph. */
export async function countWaiting(db: Db, limit: number): Promise<{ graphId: string; threads: number }[]> {
  const { rows } = await db.query<{ graphId: string; threads: number }>(sql`
    select graph_id as "graphId", (select count(*)::integer from (
             select from runs where head and runs.graph_id = absent_graphs.graph_id and run_at <= now() limit ${limit}) waiting) as threads
      from absent_graphs order by graph_id`);
  return rows;
}

/** Tells whether any live worker has reported that it has the graph. */
export async function isServedElsewhere(db: Db, graphId: string): Promise<boolean> {
  const { rowCount } = await db.query(sql`select 1 from workers where ${graphId} = any(graphs) limit 1`);
  return rowCount !== 0;
}

/** The error of a run that waited too long for a worker with the run's graph. */
const absentError = (seconds: number) => ({
  error: "GraphNotFoundError",
  message: `For ${seconds} s no worker had the run's graph (ENSEMBLE_GRAPH_WAIT_SECS). Start a worker whose langgraph.json lists it, then create the run again.`,
});

const mostEnded = 500;

/**
 * Ends runs that have waited at least `seconds` seconds for a worker with their graph, while no worker had the graph. Only the next run of
 * each thread is ended in one call. Returns the ids of the ended runs.
 */
export async function endRunsOfAbsentGraphs(db: Db, seconds: number): Promise<string[]> {
  const overdue = sql`
    select run_id, thread_id from runs r join threads t using (thread_id)
     where head and run_at <= now() - make_interval(secs => ${seconds})
       and graph_id in (select graph_id from absent_graphs where since <= now() - make_interval(secs => ${seconds}))
     order by run_at, seq limit ${mostEnded}
       for no key update of t skip locked for no key update of r skip locked`;
  return endingUnfinished(db, overdue, "error", absentError(seconds));
}
