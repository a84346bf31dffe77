import { type Db, sql } from "./sql.ts";

/**
 * The size of a table on disk with its indexes, in bytes, and the planner's estimate of its rows. Postgres knows both without a scan of the
 * table.
 */
export interface TableSize {
  table: string;
  bytes: number;
  rows: number;
}

/** Returns the sizes of these tables in the schema that holds `runs`. */
export async function readTableSizes(db: Db, tables: string[]): Promise<TableSize[]> {
  const { rows } = await db.query<TableSize>(sql`
    select relname as table, pg_total_relation_size(oid)::double precision as bytes, greatest(reltuples, 0)::double precision as rows
      from pg_class
     where relkind = 'r' and relname = any(${tables}::text[])
       and relnamespace = (select relnamespace from pg_class where oid = 'runs'::regclass)`);
  return rows;
}
