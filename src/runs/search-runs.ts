import { toAssistantId } from "../assistants/assistants.ts";
import { type BoundedRows, lengthOf, readBounded } from "../db/bounded.ts";
import { containing, type Page, toPage } from "../db/paging.ts";
import { isEverything, type Scope } from "../db/scope.ts";
import { type Db, join, nothing, type Sql, sql } from "../db/sql.ts";
import type { RunError } from "./end.ts";
import { toRun, waitingForGraph } from "./read.ts";
import type { Json, Run, RunStatus } from "./run.ts";

/** A run in a search result: the run in the API's form, with additional fields. */
export type FoundRun = Run & {
  graph_id: string | null;
  /** The number of times that the run was claimed. */
  attempt: number;
  /** The id of the worker that executes the run. Null if the run is not running. */
  worker_id: string | null;
  due_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
  /** The number of milliseconds from the first claim to the run's end, or until now. Null if the run was never claimed. */
  duration_ms: number | null;
  error: RunError | null;
};

export interface RunFilter {
  /** Only runs with one of these statuses are found. Undefined means every status. */
  status?: RunStatus[];
  graph_id?: string;
  assistant_id?: string;
  thread_id?: string;
  metadata?: Json;
  /** Only runs whose error contains this text, in upper or lower case, are found. */
  error?: string;
  created_since?: Date;
  created_until?: Date;
  updated_since?: Date;
  updated_until?: Date;
}

export interface RunSearch extends RunFilter {
  limit: number;
  offset: number;
  sort_by?: keyof typeof sortKeys;
  sort_order?: "asc" | "desc";
  /** The fields to return. Undefined or an empty list means all fields. */
  select?: (keyof typeof columns)[];
  /** True to count all runs exactly, even if there are more than 10,000. */
  exact?: boolean;
  /** The highest total size of the runs on a page, in bytes. Undefined means no limit. */
  bytes?: number;
}

const columns = {
  run_id: sql`run_id`,
  thread_id: sql`thread_id`,
  assistant_id: sql`assistant_id`,
  graph_id: sql`graph_id`,
  metadata: sql`metadata`,
  status: sql`status`,
  kwargs: sql`kwargs`,
  multitask_strategy: sql`multitask_strategy`,
  created_at: sql`created_at`,
  updated_at: sql`updated_at`,
  attempt: sql`attempt`,
  worker_id: sql`worker_id`,
  due_at: sql`run_at as due_at`,
  started_at: sql`started_at`,
  ended_at: sql`ended_at`,
  duration_ms: sql`round(extract(epoch from coalesce(ended_at, clock_timestamp()) - started_at) * 1000)::double precision as duration_ms`,
  error: sql`error`,
  waiting_for_graph: waitingForGraph,
};

const sortKeys = { created_at: sql`created_at`, updated_at: sql`updated_at` };

/**
 * A search first looks for matches among this many runs at the beginning of the sort order. Only if they do not fill the page, it searches
 * all runs.
 */
const recent = 1_000;

/** Returns a page of the matching runs of all threads that the scope includes. */
export async function searchRuns(db: Db, scope: Scope, search: RunSearch): Promise<Page<FoundRun>> {
  const read = (await readRecent(db, scope, search)) ?? (await readAll(db, scope, search));
  return toPage(db, read, sql`select 1 from runs where ${everyCondition(scope, search)}`, search);
}

/**
 * Looks for the page among the first runs in sort order. This is fast if many runs match, because the page is full after few runs. An index
 * on threads or metadata would first collect all matches. Returns undefined if these runs do not fill the page.
 */
async function readRecent(db: Db, scope: Scope, search: RunSearch): Promise<BoundedRows<FoundRun> | undefined> {
  const isChecked = !isEverything(scope) || search.metadata !== undefined || search.error !== undefined;
  if (!isChecked || search.thread_id !== undefined || search.limit + 1 + search.offset > recent) return undefined;
  const isVisible = isEverything(scope)
    ? sql`true`
    : sql`coalesce((select ${scope.visible(sql`threads.metadata`)} from threads where threads.thread_id = runs.thread_id), false)`;
  const first = inOrderOfStatuses(search, onColumns(search), recent);
  const read = await readOrdered(db, search, sql`(select * from (${first}) runs where ${onDocuments(search)} and ${isVisible}) runs`);
  return read.isCut || read.rows.length > search.limit ? read : undefined;
}

function readAll(db: Db, scope: Scope, search: RunSearch): Promise<BoundedRows<FoundRun>> {
  const matches = sql`${onColumns(search)} and ${onDocuments(search)} and ${visibleBy(scope)}`;
  return readOrdered(db, search, sql`(${inOrderOfStatuses(search, matches, search.limit + 1 + search.offset)}) runs`);
}

async function readOrdered(db: Db, search: RunSearch, from: Sql): Promise<BoundedRows<FoundRun>> {
  const { limit, offset, select = [], bytes } = search;
  const fields = select.length > 0 ? select : (Object.keys(columns) as (keyof typeof columns)[]);
  const read = join([...new Set(fields)].map((field) => columns[field]));
  const documents = fields.filter((field) => field === "kwargs" || field === "metadata" || field === "error");
  const query = sql`select ${read} from ${from} ${inOrder(search)} limit ${limit + 1} offset ${offset}`;
  const sizes = documents.length > 0 ? documents.map((field) => lengthOf(columns[field])) : [sql`0`];
  const { rows, isCut } = await readBounded<FoundRun & { waiting_for_graph: string | null }>(db, query, sizes, bytes);
  return { rows: rows.map((row) => toRun(row) as FoundRun), isCut };
}

function inOrder({ sort_by = "created_at", sort_order = "desc" }: RunSearch): Sql {
  const direction = sort_order === "asc" ? sql`asc` : sql`desc`;
  return sql`order by ${sortKeys[sort_by]} ${direction}, seq ${direction}`;
}

/**
 * Selects the first matching runs in sort order. The runs of each requested status are selected separately, because the index holds the
 * runs of each status in sort order.
 */
function inOrderOfStatuses(search: RunSearch, matches: Sql, most: number): Sql {
  const first = (ofStatus: Sql) => sql`select * from runs where ${ofStatus} and ${matches} ${inOrder(search)} limit ${most}::integer`;
  const statuses = statusesOf(search);
  if (statuses === undefined) return first(sql`true`);
  const selects = statuses.map((status) => sql`(${first(sql`status = ${status}`)})`);
  if (selects.length === 0) return first(sql`false`);
  return sql`select * from (${join(selects, " union all ")}) runs ${inOrder(search)} limit ${most}::integer`;
}

/** Returns the statuses that a matching run can have, or undefined for every status. A search for an error matches only failed runs. */
function statusesOf({ status, error }: RunFilter): RunStatus[] | undefined {
  const statuses = status && [...new Set(status)];
  if (error === undefined) return statuses;
  return (["error", "timeout"] as const).filter((one) => statuses?.includes(one) ?? true);
}

function everyCondition(scope: Scope, filter: RunFilter): Sql {
  const statuses = statusesOf(filter);
  const ofStatus = statuses === undefined ? sql`true` : sql`status = any(${statuses}::run_status[])`;
  return sql`${ofStatus} and ${onColumns(filter)} and ${onDocuments(filter)} and ${visibleBy(scope)}`;
}

const visibleBy = (scope: Scope): Sql =>
  isEverything(scope) ? sql`true` : sql`thread_id in (select thread_id from threads where ${scope.visible(sql`threads.metadata`)})`;

/** Returns the filter's conditions on indexed columns. */
function onColumns(filter: RunFilter): Sql {
  const { graph_id, assistant_id, thread_id, created_since, created_until, updated_since, updated_until } = filter;
  const unless = (value: unknown, condition: Sql) => (value === undefined ? nothing : sql`and ${condition}`);
  return sql`true
    ${unless(graph_id, sql`graph_id = ${graph_id}`)}
    ${unless(assistant_id, sql`assistant_id = ${toAssistantId(assistant_id ?? "")}`)}
    ${unless(thread_id, sql`thread_id = ${thread_id}`)}
    ${unless(created_since, sql`created_at >= ${created_since}`)}
    ${unless(created_until, sql`created_at < ${created_until}`)}
    ${unless(updated_since, sql`updated_at >= ${updated_since}`)}
    ${unless(updated_until, sql`updated_at < ${updated_until}`)}`;
}

/**
 * Returns the filter's conditions on the JSON columns `metadata` and `error`. These columns may be large, so the conditions are slower to
 * check than those on the other columns.
 */
function onDocuments({ metadata, error }: RunFilter): Sql {
  const text = sql`(select concat_ws(': ', document ->> 'error', document ->> 'message') from (select searchable(error) as document) parsed)`;
  return sql`${containing(sql`metadata`, metadata)} and ${error === undefined ? sql`true` : sql`position(lower(${error}) in lower(${text})) > 0`}`;
}
