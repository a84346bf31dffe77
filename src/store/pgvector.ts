import { type Db, type Sql, sql } from "../db/sql.ts";

/** The highest number of dimensions that pgvector supports. */
const mostDims = 16_000;

/**
 * Tells whether pgvector can compare vectors with this number of dimensions. Creates the extension in the database if the server offers it
 * and the user has the right to create it. No column has a type of the extension, so an operator can remove the extension at any time.
 */
export async function preparePgvector(db: Db, dims: number): Promise<boolean> {
  const { rowCount } = await db.query(sql`select 1 from pg_available_extensions where name = 'vector'`);
  if (rowCount === 0 || dims > mostDims) return false;
  await db.query(sql`create extension if not exists vector`).catch(() => {}); // the user may not create it, or another process is creating it
  return db.query(sql`select '[1]'::vector <#> '[1]'::vector`).then(
    () => true,
    () => false,
  );
}

/**
 * Returns an SQL expression for the cosine of two vectors of length one. It uses pgvector's inner product, which reads the stored numbers
 * only once.
 */
export const cosineByPgvector = (wanted: string, vector: Sql): Sql => sql`-(${vector}::vector <#> ${wanted}::real[]::vector)`;
