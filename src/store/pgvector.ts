import { type Db, type Sql, sql } from "../db/sql.ts";

/** pgvector's own limit. */
const mostDims = 16_000;

/**
 * Whether the database compares vectors by pgvector. Where the server has it and it may be made, it is; nothing is stored in its types, so
 * that it can come and go.
 */
export async function preparePgvector(db: Db, dims: number): Promise<boolean> {
  const { rowCount } = await db.query(sql`select 1 from pg_available_extensions where name = 'vector'`);
  if (rowCount === 0 || dims > mostDims) return false;
  await db.query(sql`create extension if not exists vector`).catch(() => {}); // not ours to make, or another process is making it
  return db.query(sql`select '[1]'::vector <#> '[1]'::vector`).then(
    () => true,
    () => false,
  );
}

/** The cosine of two vectors of length one, in one pass over the numbers as they lie. */
export const cosineByPgvector = (wanted: string, vector: Sql): Sql => sql`-(${vector}::vector <#> ${wanted}::real[]::vector)`;
