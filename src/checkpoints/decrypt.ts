import { type Db, type Sql, sql } from "../db/sql.ts";

/** The SQL condition that holds for encrypted blobs. Every encrypted value begins with these bytes. */
const isSealed = sql`substring(blob from 1 for 16) = 'ensemble.sealed:'::bytea`;

/** Throws if a checkpoint is encrypted, because LangGraph's own saver cannot read it. */
export async function refuseEncrypted(db: Db): Promise<void> {
  const { rowCount } = await db.query(sql`
    select 1 from checkpoint_blobs where ${isSealed} union all select 1 from checkpoint_writes where ${isSealed} limit 1`);
  if (rowCount)
    throw new Error(
      "The checkpoints are encrypted, and LangGraph's own PostgresSaver has no key. `ensemble export --decrypt` stores them unencrypted.",
    );
}

/**
 * Stores all checkpoints unencrypted. `db` decrypts the rows that it reads, and this function writes them back. Returns the number of
 * rewritten rows.
 */
export async function decryptCheckpoints(db: Db): Promise<number> {
  let rewritten = await decryptMetadata(db);
  for (const [name, table] of Object.entries({ checkpoint_blobs: sql`checkpoint_blobs`, checkpoint_writes: sql`checkpoint_writes` })) {
    for await (const isOnPage of pagesOf(db, name)) {
      const { rows } = await db.query<{ place: string; blob: Buffer }>(sql`
        select ctid::text as place, blob from ${table} where ${isOnPage} and ${isSealed}`);
      for (const { place, blob } of rows)
        await db.query(sql`update ${table} set blob = ${blob}::bytea where ctid = ${place}::tid and ${isSealed}`);
      rewritten += rows.length;
    }
  }
  return rewritten;
}

async function decryptMetadata(db: Db): Promise<number> {
  const marked = sql`metadata::text like '%ensemble.sealed:%'`;
  let rewritten = 0;
  for await (const isOnPage of pagesOf(db, "checkpoints")) {
    const { rows } = await db.query<{ place: string; metadata: object }>(sql`
      select ctid::text as place, metadata from checkpoints where ${isOnPage} and ${marked}`);
    for (const { place, metadata } of rows)
      await db.query(sql`
        update checkpoints set metadata = searchable(${JSON.stringify(metadata)}::json) where ctid = ${place}::tid and ${marked}`);
    rewritten += rows.length;
  }
  return rewritten;
}

/**
 * Yields one SQL condition for each page of the table's file. The condition selects the rows on that page. Each page is visited once, so
 * the loop ends. If a rewritten row moves to a later page, it may be read again, which does no harm.
 */
async function* pagesOf(db: Db, table: string): AsyncGenerator<Sql> {
  const { rows } = await db.query<{ pages: number }>(sql`
    select (pg_relation_size(${table}::text::regclass) / current_setting('block_size')::integer)::integer as pages`);
  for (let page = 0; page < (rows[0]?.pages ?? 0); page++) yield sql`ctid >= ${`(${page},0)`}::tid and ctid < ${`(${page + 1},0)`}::tid`;
}
