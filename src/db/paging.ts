import { type BoundedRows, readBounded } from "./bounded.ts";
import { type Db, type Sql, sql } from "./sql.ts";

/** One page of a list, and the number of rows in the whole list. */
export interface Page<Row> {
  rows: Row[];
  total: number;
  /** True if `total` is the planner's estimate, because the list has more than `mostCounted` rows. */
  isEstimate: boolean;
  /** True if more rows follow this page. */
  more: boolean;
  /** True if the page has fewer rows than `limit`, because more rows would have exceeded the size limit in bytes. */
  isCut: boolean;
}

export interface Paging<Key extends string> {
  limit: number;
  offset: number;
  sort_by?: Key;
  sort_order?: "asc" | "desc";
  /** True to count all rows, even above `mostCounted`. */
  exact?: boolean;
  /** The size limit of a page in bytes, for the large columns of all its rows together. Undefined means no limit. */
  bytes?: number;
}

/** The highest exact count. For longer lists, the planner's estimate is used, so that the cost of a page does not grow with the table. */
export const mostCounted = 10_000;

/**
 * Returns one page of a select. By default, the newest row comes first. `columns` maps the allowed sort keys to columns, so that no text
 * from a caller becomes SQL.
 */
export async function paged<Row extends object, Key extends string = string>(
  db: Db,
  select: Sql,
  { limit, offset, sort_by, sort_order = "desc", exact, bytes }: Paging<Key>,
  columns: Record<Key, Sql> & { created_at: Sql },
  sizes: Sql[],
): Promise<Page<Row>> {
  const key = sort_by ? columns[sort_by] : columns.created_at;
  const direction = sort_order === "asc" ? sql`asc` : sql`desc`;
  const query = sql`${select} order by ${key} ${direction}, 1 ${direction} limit ${limit + 1} offset ${offset}`;
  return toPage(db, await readBounded<Row>(db, query, sizes, bytes), select, { limit, offset, exact });
}

/**
 * Creates a page from rows that the caller has read. The caller reads one row more than the page holds, because the extra row shows that
 * more rows follow. `select` is the select without a limit, and is used to count all rows.
 */
export async function toPage<Row>(
  db: Db,
  { rows: read, isCut }: BoundedRows<Row>,
  select: Sql,
  { limit, offset, exact }: Pick<Paging<string>, "limit" | "offset" | "exact">,
): Promise<Page<Row>> {
  const more = isCut || read.length > limit;
  const rows = read.slice(0, limit);
  if (!more && (offset === 0 || rows.length > 0)) return { rows, total: offset + rows.length, isEstimate: false, more, isCut };
  const { total, isEstimate } = await countRows(db, select, exact);
  return { rows, total: Math.max(total, offset + rows.length + (more ? 1 : 0)), isEstimate, more, isCut: isCut && rows.length < limit };
}

/**
 * Counts the rows of a select. The count is exact up to `mostCounted`, or always if `exact` is set. Otherwise, it is the planner's
 * estimate.
 */
export async function countRows(db: Db, select: Sql, exact = false): Promise<{ total: number; isEstimate: boolean }> {
  const counting = exact ? select : sql`${select} limit ${mostCounted + 1}`;
  const { rows } = await db.query<{ total: number }>(sql`select count(*)::integer as total from (${counting}) found`);
  const total = rows[0]?.total ?? 0;
  if (exact || total <= mostCounted) return { total, isEstimate: false };
  return { total: Math.max(total, await estimateRows(db, select)), isEstimate: true };
}

async function estimateRows(db: Db, select: Sql): Promise<number> {
  const { rows } = await db.query<{ "QUERY PLAN": [{ Plan: { "Plan Rows": number } }] }>(sql`explain (format json) ${select}`);
  return rows[0]?.["QUERY PLAN"][0].Plan["Plan Rows"] ?? 0;
}

/**
 * Returns a condition that is true for rows whose `column` contains the document (`@>`). The SQL function `searchable` of our migrations
 * converts both documents to `jsonb`. Without a document, every row matches.
 */
export function containing(column: Sql, document: Record<string, unknown> | undefined): Sql {
  if (!document || Object.keys(document).length === 0) return sql`true`;
  return sql`searchable(${column}) @> searchable(${JSON.stringify(document)}::json)`;
}
