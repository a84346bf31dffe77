import { type BoundedRows, lengthOf, readBounded } from "../db/bounded.ts";
import type { Scope } from "../db/scope.ts";
import { type Db, nothing, type Sql, sql } from "../db/sql.ts";
import { runNotFound } from "../errors.ts";
import { type Run, type RunStatus, runColumns } from "./run.ts";

/** Returns an SQL condition that is true if the scope includes the thread of the run. */
export const visibleBy = (scope: Scope): Sql =>
  sql`exists (select from threads where threads.thread_id = runs.thread_id and ${scope.visible(sql`threads.metadata`)})`;

/**
 * A column for the API's field `waiting_for_graph`. For a due run whose graph no live worker has, it is the id of this graph. For any other
 * run, it is null.
 */
export const waitingForGraph: Sql = sql`
  case when status = 'pending' and run_at <= now() then (select graph_id from absent_graphs where absent_graphs.graph_id = runs.graph_id) end as "waiting_for_graph"`;

const columns = sql`${runColumns}, ${waitingForGraph}`;

/** Removes the field `waiting_for_graph` if it is null, because clients expect this field only on runs that wait for a graph. */
export function toRun({ waiting_for_graph, ...run }: Omit<Run, "waiting_for_graph"> & { waiting_for_graph?: string | null }): Run {
  return (waiting_for_graph ? { ...run, waiting_for_graph } : run) as Run;
}

type Row = Parameters<typeof toRun>[0];

/** Returns a run of a thread. Without a thread's id, finds the run by its own id alone. */
export async function getRun(db: Db, scope: Scope, threadId: string | undefined, runId: string): Promise<Run> {
  const { rows } = await db.query<Row>(sql`
    select ${columns} from runs
     where run_id = ${runId} and ${visibleBy(scope)} ${threadId === undefined ? nothing : sql`and thread_id = ${threadId}`}`);
  if (!rows[0]) throw runNotFound();
  return toRun(rows[0]);
}

/** Returns the runs with these ids, in the order of the ids. Skips ids without a run. */
export async function findRuns(db: Db, ids: string[]): Promise<Run[]> {
  const { rows } = await db.query<Run>(sql`select ${runColumns} from runs where run_id = any(${ids}::uuid[])`);
  const found = new Map(rows.map((run) => [run.run_id, run]));
  return ids.flatMap((id) => found.get(id) ?? []);
}

/** Tells whether a thread has at least one of these runs. Returns false if the caller may not see the thread. */
export async function hasAnyRun(db: Db, scope: Scope, threadId: string, runIds: string[]): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    select 1 from runs where run_id = any(${runIds}::uuid[]) and thread_id = ${threadId} and ${visibleBy(scope)} limit 1`);
  return rowCount !== 0;
}

/** Lists the runs of a thread, newest first. Returns only as many runs as fit into `bytes` bytes. */
export async function listRuns(
  db: Db,
  scope: Scope,
  threadId: string,
  { status, limit, offset, bytes }: { status?: RunStatus; limit: number; offset: number; bytes?: number },
): Promise<BoundedRows<Run>> {
  const query = sql`
    select ${columns} from runs
     where thread_id = ${threadId} and ${visibleBy(scope)} ${status === undefined ? nothing : sql`and status = ${status}`}
     order by seq desc limit ${limit} offset ${offset}`;
  const { rows, isCut } = await readBounded<Row>(db, query, [lengthOf(sql`kwargs`), lengthOf(sql`metadata`)], bytes);
  return { rows: rows.map(toRun), isCut };
}

/** Tells whether the log still has the events of this run. A run that has not ended keeps them. */
export async function keepsEvents(db: Db, runId: string): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    select 1 from runs where run_id = ${runId} and (ended_at is null or events_until is not null)`);
  return rowCount !== 0;
}

export interface RunOutcome {
  /** True if the run has not ended yet. */
  open: boolean;
  /** The output, as JSON text. Null if there is no output, or if `passed` is true. */
  output: string | null;
  /**
   * True if the output is the thread's state at the end of the run, but the thread's state has changed since. The output must then be read
   * from the run's last checkpoint.
   */
  passed: boolean;
  /** True if people may give feedback about the run. */
  hasFeedback: boolean;
}

/** Returns the outcome of a run, or undefined if the run no longer exists. */
export async function getOutcome(db: Db, runId: string): Promise<RunOutcome | undefined> {
  const { rows } = await db.query<RunOutcome>(sql`
    select ended_at is null as open, has_feedback as "hasFeedback", output_on_thread and state_updated_at > ended_at as passed,
           coalesce(output::text, (select data from run_events e where e.run_id = runs.run_id and e.id = output_event),
                    case when output_on_thread and state_updated_at <= ended_at then "values"::text end) as output
      from runs join threads using (thread_id) where run_id = ${runId}`);
  return rows[0];
}

/** The questions that a run of a thread answers. */
export interface AnsweringRun {
  /** True if the run has not ended yet. */
  open: boolean;
  /** The ids of the questions. Empty if the run's answer names no question. */
  ids: string[];
}

/** Returns the runs of a thread that answer questions, oldest first. */
export async function answeringRuns(db: Db, threadId: string): Promise<AnsweringRun[]> {
  const { rows } = await db.query<AnsweringRun>(sql`
    select ended_at is null as open,
           case when json_typeof(resume) = 'object' then array(select json_object_keys(resume)) else '{}' end as ids
      from (select seq, ended_at, kwargs #> '{command,resume}' as resume from runs where thread_id = ${threadId}) answers
     where resume is not null order by seq`);
  return rows;
}

/** Tells whether a thread has a pending or running run. */
export async function isThreadBusy(db: Db, threadId: string): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    select 1 from runs where thread_id = ${threadId} and status in ('pending', 'running') limit 1`);
  return rowCount !== 0;
}

/**
 * Locks the threads that have open runs of an assistant. Call it before you delete the assistant, because the assistant's runs are deleted
 * with it.
 */
export async function holdThreadsOfAssistant(tx: Db, assistantId: string): Promise<void> {
  await tx.query(sql`
    select 1 from threads
     where thread_id in (select thread_id from runs where assistant_id = ${assistantId} and status in ('pending', 'running'))
     order by thread_id for no key update`);
}
