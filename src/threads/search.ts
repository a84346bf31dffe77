import { type BoundedRows, lengthOf, readBounded, storedSizeOf } from "../db/bounded.ts";
import { containing, countRows, type Page, toPage } from "../db/paging.ts";
import { isEverything, type Scope } from "../db/scope.ts";
import { type Db, nothing, type Sql, sql } from "../db/sql.ts";
import type { Json, Thread, ThreadStatus } from "./threads.ts";

export interface ThreadFilter {
  ids?: string[];
  metadata?: Json;
  values?: Json;
  status?: ThreadStatus;
  /** Whether to count all threads, even above the limit of an exact count. */
  exact?: boolean;
}

export interface ThreadSearch extends ThreadFilter {
  limit: number;
  offset: number;
  sort_by?: keyof typeof sortKeys;
  sort_order?: "asc" | "desc";
  /** The size limit of a page's threads in bytes. Undefined means no limit. */
  bytes?: number;
}

/** Selects threads with an open run. Each has a running run or a head, however long its queue is. */
const openThreads = sql`(select runs.thread_id from runs where runs.head union all select runs.thread_id from runs where runs.status = 'running')`;
const status = sql`case when exists (select from runs where runs.thread_id = threads.thread_id and runs.status in ('pending', 'running'))
                        then 'busy'::thread_status else resting_status end`;
const columns = sql`thread_id, ${status} as status, metadata, config, "values", interrupts, created_at, updated_at, state_updated_at`;

const sortKeys = {
  thread_id: sql`thread_id`,
  status: sql`(${status})::text`,
  created_at: sql`created_at`,
  updated_at: sql`updated_at`,
  state_updated_at: sql`state_updated_at`,
};

/** Returns a page of the threads that match. */
export async function searchThreads(db: Db, scope: Scope, search: ThreadSearch): Promise<Page<Thread>> {
  const matching = conditions(scope, search);
  const read = (await readRecent(db, scope, search, matching)) ?? (await readAll(db, search, matching));
  return toPage(db, read, matchingThreads(matching), search);
}

/** Returns how many threads match. Above 10,000 the number is an estimate, unless `exact` is set. */
export async function countThreads(db: Db, scope: Scope, filter: ThreadFilter): Promise<{ total: number; isEstimate: boolean }> {
  return countRows(db, matchingThreads(conditions(scope, filter)), filter.exact);
}

/** The number of threads that are checked one by one, before an index is used. */
const recent = 1_000;

/**
 * Searches the page among the first threads of the order. If many threads match, the page is full there, while an index would first collect
 * all matches. Returns undefined if the page is not full: then few threads match, and an index finds them.
 */
async function readRecent(db: Db, scope: Scope, search: ThreadSearch, matching: Sql): Promise<BoundedRows<Thread> | undefined> {
  const isFiltered = !isEverything(scope) || search.metadata || search.values;
  const size = search.limit + 1 + search.offset;
  if (!isFiltered || search.ids || search.sort_by === "status" || size > recent) return undefined;
  const ofStatus = search.status ? conditions(everyThread, { status: search.status }) : sql`true`;
  const read = await readOrdered(db, search, sql`(${visible(search, ofStatus, sql`${recent}::integer`)}) threads where ${matching}`);
  return read.isCut || read.rows.length > search.limit ? read : undefined;
}

const readAll = (db: Db, search: ThreadSearch, matching: Sql) =>
  readOrdered(db, search, sql`(${visible(search, matching, sql`${search.limit + 1 + search.offset}::integer`)}) threads`);

const sizes = [storedSizeOf(sql`"values"`), lengthOf(sql`metadata`), lengthOf(sql`config`), lengthOf(sql`interrupts`)];

function readOrdered(db: Db, search: ThreadSearch, from: Sql): Promise<BoundedRows<Thread>> {
  const query = sql`select ${columns} from ${from} ${inOrder(search)} limit ${search.limit + 1} offset ${search.offset}`;
  return readBounded(db, query, sizes, search.bytes);
}

function inOrder({ sort_by = "created_at", sort_order = "desc" }: ThreadSearch): Sql {
  const direction = sort_order === "asc" ? sql`asc` : sql`desc`;
  return sql`order by ${sortKeys[sort_by]} ${direction}, thread_id ${direction}`;
}

/**
 * Selects the first threads of an order. Temporary threads are visible while their run is open. They are selected apart, because an index
 * can walk the others in order without passing over thousands of temporary threads whose run is over.
 */
function visible(search: ThreadSearch, matching: Sql, most: Sql): Sql {
  return sql`
    (select * from threads where not temporary and ${matching} ${inOrder(search)} limit ${most})
     union all
    (select * from threads where temporary and thread_id in ${openThreads} and ${matching} ${inOrder(search)} limit ${most})`;
}

const matchingThreads = (matching: Sql) => sql`
  select 1 from threads where (not temporary or thread_id in ${openThreads}) and ${matching}`;

const everyThread: Pick<Scope, "visible"> = { visible: () => sql`true` };

function conditions({ visible }: Pick<Scope, "visible">, { ids, metadata, values, status }: ThreadFilter): Sql {
  return sql`${visible(sql`metadata`)}
    ${ids === undefined ? nothing : sql`and thread_id = any(${ids}::uuid[])`}
    ${status === undefined ? nothing : sql`and ${hasStatus(status)}`}
    and ${containing(sql`metadata`, metadata)}
    and ${havingValues(values)}`;
}

function hasStatus(status: ThreadStatus): Sql {
  if (status === "busy") return sql`thread_id in ${openThreads}`;
  return sql`(resting_status = ${status} and not exists (
    select from runs where runs.thread_id = threads.thread_id and runs.status in ('pending', 'running')))`;
}

/**
 * Returns the condition that a thread has these values. It looks threads up by the marks of their top-level entries, and then compares
 * whole values. Threads without marks are compared too.
 */
function havingValues(values: Json | undefined): Sql {
  const same = containing(sql`"values"`, values);
  const isMarked = Object.values(values ?? {}).some((value) => value === null || typeof value !== "object");
  if (!isMarked) return same;
  const marks = sql`(select coalesce(value_marks(${JSON.stringify(values)}::json), '{}'))`;
  return sql`((value_marks @> ${marks} or (value_marks is null and "values" is not null)) and ${same})`;
}
