import { type Db, sql } from "../db/sql.ts";

/** The condition for encrypted blobs. Every encrypted value begins with these bytes. */
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

const rowsInBatch = 200;

/**
 * Stores all checkpoints unencrypted. `db` decrypts the rows that it reads, and this function writes them back. Returns the number of
 * rewritten rows.
 */
export async function decryptCheckpoints(db: Db): Promise<number> {
  let rewritten = 0;
  for (const table of [sql`checkpoint_blobs`, sql`checkpoint_writes`]) {
    for (let found = rowsInBatch; found === rowsInBatch; rewritten += found) {
      const { rows } = await db.query<{ place: string; blob: Buffer }>(sql`
        select ctid::text as place, blob from ${table} where ${isSealed} limit ${rowsInBatch}`);
      found = rows.length;
      for (const { place, blob } of rows)
        await db.query(sql`update ${table} set blob = ${blob}::bytea where ctid = ${place}::tid and ${isSealed}`);
    }
  }
  return rewritten + (await decryptMetadata(db));
}

async function decryptMetadata(db: Db): Promise<number> {
  const marked = sql`metadata::text like '%ensemble.sealed:%'`;
  let rewritten = 0;
  for (let found = rowsInBatch; found === rowsInBatch; rewritten += found) {
    const { rows } = await db.query<{ place: string; metadata: object }>(sql`
      select ctid::text as place, metadata from checkpoints where ${marked} limit ${rowsInBatch}`);
    found = rows.length;
    for (const { place, metadata } of rows)
      await db.query(sql`
        update checkpoints set metadata = searchable(${JSON.stringify(metadata)}::json) where ctid = ${place}::tid and ${marked}`);
  }
  return rewritten;
}
