import { type Db, sql } from "../db/sql.ts";

/** As autovacuum reckons, which looks once a minute; where a table is so large that this takes long, it is left to that. */
const worthwhile = sql`n_dead_tup > 1000 + 0.2 * n_live_tup and pg_relation_size(relid) < 256 * 1024 * 1024`;

/**
 * Makes the room of rows that went usable again where there is much of it: threads that are trimmed at every turn would take several times
 * what they keep. Whatever is in use by another vacuum, or belongs to somebody else, is left out.
 */
export async function reclaimRoom(db: Db): Promise<void> {
  const { rows } = await db.query<{ name: string }>(sql`
    select quote_ident(schemaname) || '.' || quote_ident(relname) as name from pg_stat_user_tables
     where relid in ('checkpoints'::regclass, 'checkpoint_blobs'::regclass, 'checkpoint_writes'::regclass) and ${worthwhile}`);
  for (const { name } of rows) await db.query({ text: `vacuum (skip_locked) ${name}`, values: [] });
}
