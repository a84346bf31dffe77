import { type Db, type Sql, sql } from "./sql.ts";

/** One page of a list, and how many rows there are in all. */
export interface Page<Row> {
  rows: Row[];
  total: number;
}

export interface Paging<Key extends string> {
  limit: number;
  offset: number;
  sort_by?: Key;
  sort_order?: "asc" | "desc";
}

/** Pages a select. Sort keys are looked up in `columns`, so that no caller's text becomes SQL; the newest row comes first by default. */
export async function paged<Row extends object, Key extends string = string>(
  db: Db,
  select: Sql,
  { limit, offset, sort_by, sort_order = "desc" }: Paging<Key>,
  columns: Record<Key, Sql> & { created_at: Sql },
): Promise<Page<Row>> {
  const key = sort_by ? columns[sort_by] : columns.created_at;
  const direction = sort_order === "asc" ? sql`asc` : sql`desc`;
  const { rows } = await db.query<Row>(sql`${select} order by ${key} ${direction}, 1 ${direction} limit ${limit} offset ${offset}`);
  if (offset === 0 && rows.length < limit) return { rows, total: rows.length };
  const counted = await db.query<{ total: number }>(sql`select count(*)::integer as total from (${select}) found`);
  return { rows, total: counted.rows[0]?.total ?? 0 };
}

/** `column @> document`, on documents as the function searchable sees them. No document: no condition. */
export function containing(column: Sql, document: Record<string, unknown> | undefined): Sql {
  if (!document || Object.keys(document).length === 0) return sql`true`;
  return sql`searchable(${column}) @> searchable(${JSON.stringify(document)}::json)`;
}
