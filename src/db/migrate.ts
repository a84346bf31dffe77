import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pool, PoolClient } from "pg";
import { openPool } from "./pool.ts";
import { type Db, sql, transaction } from "./sql.ts";

const migrationsDir = new URL("../../migrations/", import.meta.url);
const oldestPostgres = 14;
/** Any numbers will do, as long as everyone who migrates takes the same ones. */
const migrationLock = 7_201_914;
const concurrentLock = 7_201_917;
const lockPollMs = 100;
const mostTries = 10;
const deadlockDetected = "40P01";

/**
 * Brings the schema to this release: forward only, each file once, one process at a time. Returns the files that were applied.
 *
 * All files but those named `*.concurrent.sql` are applied in one transaction, which locks what it changes. The others run after it, by
 * themselves and without a transaction, so that a table with millions of rows stays open to reads and writes: an index is built with
 * `create index concurrently`, and rows are filled in batches that commit. Nothing may rely on them but the speed of a statement.
 */
export async function migrate(pool: Pool): Promise<string[]> {
  const files = (await readdir(migrationsDir)).filter((file) => file.endsWith(".sql")).sort();
  const [concurrent, ordinary] = [files.filter(isConcurrent), files.filter((file) => !isConcurrent(file))];
  const applied = await retryDeadlocks(() => transaction(pool, (tx) => migrateTogether(tx, ordinary)));
  return [...applied, ...(await migrateConcurrently(pool, concurrent))];
}

async function migrateTogether(tx: PoolClient, files: string[]): Promise<string[]> {
  await refuseOldServer(tx);
  await tx.query(sql`select pg_advisory_xact_lock(${migrationLock})`);
  await tx.query(sql`create table if not exists migrations (file text primary key, applied_at timestamptz not null default now())`);
  const todo = await missing(tx, files);
  for (const file of todo) await apply(tx, file);
  return todo;
}

/** Several files lock several tables, and workers that run meanwhile lock the same ones in another order. */
async function retryDeadlocks<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === mostTries || (error as { code?: string }).code !== deadlockDetected) throw error;
    }
  }
}

const isConcurrent = (file: string) => file.endsWith(".concurrent.sql");

async function missing(db: Db, files: string[]): Promise<string[]> {
  const { rows } = await db.query<{ file: string }>(sql`select file from migrations`);
  const done = new Set(rows.map((row) => row.file));
  return files.filter((file) => !done.has(file));
}

/** Each of these files holds one statement, which may be started again when it was cut short. */
async function migrateConcurrently(pool: Pool, files: string[]): Promise<string[]> {
  const client = await pool.connect();
  try {
    if ((await missing(client, files)).length === 0) return [];
    await lockConcurrent(client);
    const todo = await missing(client, files);
    for (const file of todo) await applyConcurrently(client, file);
    return todo;
  } finally {
    client.release(true); // the lock goes with the connection
  }
}

/** Asks again and again. To wait inside a statement would hold a snapshot, for which `create index concurrently` would wait in turn. */
async function lockConcurrent(client: PoolClient): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ held: boolean }>(sql`select pg_try_advisory_lock(${concurrentLock}) as held`);
    if (rows[0]?.held) return;
    await sleep(lockPollMs);
  }
}

async function applyConcurrently(client: PoolClient, file: string): Promise<void> {
  const statement = await readFile(new URL(file, migrationsDir), "utf8");
  const [, index] = /^create (?:unique )?index concurrently (\w+)/m.exec(statement) ?? [];
  // An interrupted build leaves an invalid index behind.
  if (index) await client.query(`drop index concurrently if exists ${index}`);
  await client.query(statement);
  await client.query(sql`insert into migrations (file) values (${file})`);
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
