import { type Db, type Sql, sql } from "../db/sql.ts";

/** pgvector's own limit. */
const mostDims = 16_000;

/**
 * Returns whether pgvector can compare the vectors. Creates the extension if the server has it and the user may. Nothing is stored in its
 * types, so the extension can be removed at any time.
 */
export async function preparePgvector(db: Db, dims: number): Promise<boolean> {
  const { rowCount } = await db.query(sql`select 1 from pg_available_extensions where name = 'vector'`);
  if (rowCount === 0 || dims > mostDims) return false;
  await db.query(sql`create extension if not exists vector`).catch(() => {}); // not permitted, or another process creates it now
  return db.query(sql`select '[1]'::vector <#> '[1]'::vector`).then(
    () => true,
    () => false,
  );
}

/** Returns the cosine of two vectors of length one, computed in one pass over the stored numbers. */
export const cosineByPgvector = (wanted: string, vector: Sql): Sql => sql`-(${vector}::vector <#> ${wanted}::real[]::vector)`;
