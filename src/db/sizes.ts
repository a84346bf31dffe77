import { type Db, sql } from "./sql.ts";

/** What a table takes on disk, with its indexes; its rows as the planner estimates them. Neither reads the table. */
export interface TableSize {
  table: string;
  bytes: number;
  rows: number;
}

/** The sizes of our own tables: those that are in the schema where `runs` is. */
export async function readTableSizes(db: Db, tables: string[]): Promise<TableSize[]> {
  const { rows } = await db.query<TableSize>(sql`
    select relname as table, pg_total_relation_size(oid)::double precision as bytes, greatest(reltuples, 0)::double precision as rows
      from pg_class
     where relkind = 'r' and relname = any(${tables}::text[])
       and relnamespace = (select relnamespace from pg_class where oid = 'runs'::regclass)`);
  return rows;
}
