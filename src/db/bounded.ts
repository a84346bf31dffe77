import { type Db, join, type Sql, sql } from "./sql.ts";

/** The first rows of a query's result, up to a size limit in bytes. */
export interface BoundedRows<Row> {
  rows: Row[];
  /** True if more rows matched but were left out because of the size limit. */
  isCut: boolean;
}

interface Measures {
  bytes_so_far: unknown;
  row_place: unknown;
  rows_found: number;
}

/**
 * Returns an expression for the size of a document as the client receives it. The stored size may be far smaller, because Postgres
 * compresses documents.
 */
export const lengthOf = (column: Sql): Sql => sql`octet_length(page.${column}::text)`;

/**
 * Returns an expression for the stored size of a document. Postgres knows this size without reading the document. Use it only for columns
 * that Postgres does not compress.
 */
export const storedSizeOf = (column: Sql): Sql => sql`pg_column_size(page.${column})`;

/** Returns the first rows of a query whose documents together take at most `bytes` bytes. The first row is always included. */
export async function readBounded<Row extends object>(
  db: Db,
  query: Sql,
  sizes: Sql[],
  bytes = Number.POSITIVE_INFINITY,
): Promise<BoundedRows<Row>> {
  if (bytes === Number.POSITIVE_INFINITY) return { rows: (await db.query<Row>(query)).rows, isCut: false };
  const size = join(
    sizes.map((size) => sql`coalesce(${size}, 0)`),
    " + ",
  );
  const { rows } = await db.query<Row & Measures>(sql`
    select * from (
      select page.*, sum(${size}) over (rows unbounded preceding) as bytes_so_far, row_number() over () as row_place,
             count(*) over ()::integer as rows_found
        from (${query}) page) measured
     where bytes_so_far <= ${bytes} or row_place = 1 order by row_place`);
  const found = rows[0]?.rows_found ?? 0;
  return { rows: rows.map(({ bytes_so_far, row_place, rows_found, ...row }) => row as unknown as Row), isCut: found > rows.length };
}
