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
  /** True to count all threads exactly, even above 10,000. */
  exact?: boolean;
}

export interface ThreadSearch extends ThreadFilter {
  limit: number;
  offset: number;
  sort_by?: keyof typeof sortKeys;
  sort_order?: "asc" | "desc";
  /** The size limit of a page of threads, in bytes. Undefined means no limit. */
  bytes?: number;
}

/**
 * Selects the threads with an open run. For each thread, reads only the running run, or the next pending run, which the column `head`
 * marks.
 */
const openThreads = sql`(select runs.thread_id from runs where runs.head union all select runs.thread_id from runs where runs.status = 'running')`;
/**
 * An SQL expression that is true if a thread has an open run. The subquery reads only the runs of this thread, so it suits a search that
 * reads few threads. With `exists`, Postgres would first read the open runs of all threads.
 */
const isOpen = sql`coalesce((select true from runs where runs.thread_id = threads.thread_id and runs.status in ('pending', 'running') limit 1), false)`;
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

/** Returns a page of the matching threads. */
export async function searchThreads(db: Db, scope: Scope, search: ThreadSearch): Promise<Page<Thread>> {
  const read = (await readRecent(db, scope, search)) ?? (await readAll(db, scope, search));
  return toPage(db, read, matchingThreads(scope, search), search);
}

/** Returns the number of matching threads. Above 10,000, the number is an estimate, unless `exact` is set. */
export async function countThreads(db: Db, scope: Scope, filter: ThreadFilter): Promise<{ total: number; isEstimate: boolean }> {
  return countRows(db, matchingThreads(scope, filter), filter.exact);
}

/** The number of recent threads that a search checks one by one, before it uses an index on the threads' content. */
const recent = 1_000;

/**
 * Looks for the page among the first threads in sort order. Checks up to `recent` lasting threads, and the temporary threads that come
 * before the last of these lasting threads. This is fast if many threads match, because the page is full after few threads. An index would
 * first collect all matches. Returns undefined if the page is not full, so that the caller uses an index.
 */
async function readRecent(db: Db, scope: Scope, search: ThreadSearch): Promise<BoundedRows<Thread> | undefined> {
  const wantsBusy = search.status === "busy";
  const isFiltered = !isEverything(scope) || search.metadata || search.values || wantsBusy;
  const size = search.limit + 1 + search.offset;
  if (!isFiltered || search.ids || search.sort_by === "status" || size > recent) return undefined;
  const walked = wantsBusy ? {} : { status: search.status };
  const others = conditions(scope, { ...search, status: undefined });
  const lasting = sql`select * from (${lastingThreads(search, everyThread, walked, recent)}) threads
    where ${wantsBusy ? isOpen : sql`true`} and ${others} ${inOrder(search)} limit ${size}::integer`;
  const temporary = temporaryThreads(search, sql`${isAboveWalk(search)} and ${others}`, size);
  const read = await readOrdered(
    db,
    search,
    mayBeTemporary(search) ? sql`((${lasting}) union all (${temporary})) threads` : sql`(${lasting}) threads`,
  );
  return read.isCut || read.rows.length > search.limit ? read : undefined;
}

/**
 * Returns a condition for the temporary threads that `readRecent` must check. They come before the last lasting thread that it checks. If
 * it checks all lasting threads, the condition is true for all temporary threads.
 */
function isAboveWalk({ sort_by = "created_at", sort_order = "desc" }: ThreadSearch): Sql {
  const key = sortKeys[sort_by];
  const order = inOrder({ sort_by, sort_order });
  const last = sql`(select ${key}, thread_id from threads where not temporary ${order} offset ${recent - 1}::integer limit 1)`;
  return sql`coalesce((${key}, thread_id) ${sort_order === "desc" ? sql`>` : sql`<`} ${last}, true)`;
}

const readAll = (db: Db, scope: Scope, search: ThreadSearch) =>
  readOrdered(db, search, sql`(${visible(search, scope, search, search.limit + 1 + search.offset)}) threads`);

const sizes = [storedSizeOf(sql`"values"`), lengthOf(sql`metadata`), lengthOf(sql`config`), lengthOf(sql`interrupts`)];

function readOrdered(db: Db, search: ThreadSearch, from: Sql): Promise<BoundedRows<Thread>> {
  const query = sql`select ${columns} from ${from} ${inOrder(search)} limit ${search.limit + 1} offset ${search.offset}`;
  return readBounded(db, query, sizes, search.bytes);
}

function inOrder({ sort_by = "created_at", sort_order = "desc" }: Pick<ThreadSearch, "sort_by" | "sort_order">): Sql {
  const direction = sort_order === "asc" ? sql`asc` : sql`desc`;
  return sql`order by ${sortKeys[sort_by]} ${direction}, thread_id ${direction}`;
}

/**
 * Selects the first threads in sort order. Lasting and temporary threads are selected separately, because each kind has an index in sort
 * order. Each selection ends after `most` threads, so that the cost does not grow with the number of temporary threads whose runs are
 * waiting.
 */
function visible(order: ThreadSearch, scope: Scope, filter: ThreadFilter, most: number): Sql {
  const lasting = lastingThreads(order, scope, filter, most);
  if (!mayBeTemporary(filter)) return lasting;
  return sql`(${lasting}) union all (${temporaryThreads(order, conditions(scope, { ...filter, status: undefined }), most)})`;
}

const lastingThreads = (order: ThreadSearch, scope: Pick<Scope, "visible">, filter: ThreadFilter, most: number) =>
  sql`select * from threads where not temporary and ${conditions(scope, filter)} ${inOrder(order)} limit ${most}::integer`;

const temporaryThreads = (order: ThreadSearch, matches: Sql, most: number) =>
  sql`select * from threads where temporary and ${isOpen} and ${matches} ${inOrder(order)} limit ${most}::integer`;

/** Selects one row for each matching thread in the scope. */
function matchingThreads(scope: Scope, filter: ThreadFilter): Sql {
  const wantsAllBusy = filter.status === "busy" && isEverything(scope) && !filter.ids && !filter.metadata && !filter.values;
  if (wantsAllBusy) return sql`select 1 from ${openThreads} open_threads`;
  const seen = mayBeTemporary(filter) ? sql`(not temporary or thread_id in ${openThreads})` : sql`not temporary`;
  return sql`select 1 from threads where ${seen} and ${conditions(scope, filter)}`;
}

/**
 * Tells whether temporary threads can have the requested status. Callers see a temporary thread only while it has an open run, so its
 * status is always busy.
 */
const mayBeTemporary = ({ status }: ThreadFilter) => status === undefined || status === "busy";

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
 * Returns an SQL condition that is true if a thread has these values. The index on `value_marks` first finds threads by hashes of their
 * short top-level values. The whole values of these threads are then compared. Threads that have no hashes yet are always compared.
 */
function havingValues(values: Json | undefined): Sql {
  const same = containing(sql`"values"`, values);
  const isMarked = Object.values(values ?? {}).some((value) => value === null || typeof value !== "object");
  if (!isMarked) return same;
  const marks = sql`(select coalesce(value_marks(${JSON.stringify(values)}::json), '{}'))`;
  return sql`((value_marks @> ${marks} or (value_marks is null and "values" is not null)) and ${same})`;
}
