import { type Db, sql } from "../db/sql.ts";

/**
 * Selects the tables that are worth a vacuum. The formula is that of autovacuum, but with a minimum of 1,000 dead rows instead of 50.
 * Autovacuum checks only once a minute. Tables of 256 MiB and more are left to autovacuum, because vacuuming them takes long.
 */
const worthwhile = sql`n_dead_tup > 1000 + 0.2 * n_live_tup and pg_relation_size(relid) < 256 * 1024 * 1024`;

/**
 * Vacuums the checkpoint tables that have many dead rows. Otherwise, threads that are pruned after every run would take several times the
 * space of the checkpoints that they keep. Skips tables that another vacuum has locked or that another database user owns.
 */
export async function reclaimRoom(db: Db): Promise<void> {
  const { rows } = await db.query<{ name: string }>(sql`
    select quote_ident(schemaname) || '.' || quote_ident(relname) as name from pg_stat_user_tables
     where relid in ('checkpoints'::regclass, 'checkpoint_blobs'::regclass, 'checkpoint_writes'::regclass) and ${worthwhile}`);
  for (const { name } of rows) await db.query({ text: `vacuum (skip_locked) ${name}`, values: [] });
}
