import { readdir, readFile } from "node:fs/promises";
import type { Pool, PoolClient } from "pg";
import { openPool } from "./pool.ts";
import { sql, transaction } from "./sql.ts";

const migrationsDir = new URL("../../migrations/", import.meta.url);
const oldestPostgres = 14;
/** Any number will do, as long as everyone who migrates takes the same one. */
const migrationLock = 7_201_914;

/** Brings the schema to this release: forward only, each file once, one process at a time. Returns the files that were applied. */
export async function migrate(pool: Pool): Promise<string[]> {
  const files = (await readdir(migrationsDir)).filter((file) => file.endsWith(".sql")).sort();
  return transaction(pool, async (tx) => {
    await refuseOldServer(tx);
    await tx.query(sql`select pg_advisory_xact_lock(${migrationLock})`);
    await tx.query(sql`create table if not exists migrations (file text primary key, applied_at timestamptz not null default now())`);
    const { rows } = await tx.query<{ file: string }>(sql`select file from migrations`);
    const done = new Set(rows.map((row) => row.file));
    const todo = files.filter((file) => !done.has(file));
    for (const file of todo) await apply(tx, file);
    return todo;
  });
}

/** The same, on a connection of its own, where a statement may take as long as it takes. */
export async function migrateAt(url: string): Promise<string[]> {
  const pool = openPool({ url, size: 1, onError: () => {} });
  try {
    return await migrate(pool);
  } finally {
    await pool.end();
  }
}

async function apply(tx: PoolClient, file: string): Promise<void> {
  await tx.query(await readFile(new URL(file, migrationsDir), "utf8"));
  await tx.query(sql`insert into migrations (file) values (${file})`);
}

async function refuseOldServer(tx: PoolClient): Promise<void> {
  const { rows } = await tx.query<{ version: string }>(sql`select current_setting('server_version_num') as version`);
  checkServerVersion(Number(rows[0]?.version));
}

/** Refuses a server that lacks what the statements use, by its `server_version_num`: 140005 is 14.5. */
export function checkServerVersion(version: number): void {
  const major = Math.floor(version / 10_000);
  if (major < oldestPostgres) throw new Error(`Ensemble needs Postgres ${oldestPostgres} or newer; this server is ${major}.`);
}
