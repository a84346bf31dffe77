import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pool, PoolClient } from "pg";
import { openPool } from "./pool.ts";
import { type Db, sql, transaction } from "./sql.ts";

const migrationsDir = new URL("../../migrations/", import.meta.url);
const oldestPostgres = 14;
/** The keys of the two advisory locks for migrations. The numbers are arbitrary, but every process that migrates must use the same ones. */
const migrationLock = 7_201_914;
const concurrentLock = 7_201_917;
const lockPollMs = 100;
const mostTries = 10;
const deadlockDetected = "40P01";

/**
 * Brings the schema to this release and returns the names of the files that were applied. There are no down migrations. Each file is
 * applied once, by one process at a time. An applied file is recorded by its name alone, so its comments may change later.
 *
 * Most files run together in one transaction, which locks the tables that it changes. Files named `*.concurrent.sql` run after that
 * transaction, one by one and without a transaction of their own. They build indexes with `create index concurrently`, or fill rows in
 * batches that commit one by one. A table with millions of rows thus stays open to reads and writes. A service may run while these files
 * are applied, so they may affect only the speed of statements, never their results.
 */
export async function migrate(pool: Pool): Promise<string[]> {
  const files = (await readdir(migrationsDir)).filter((file) => file.endsWith(".sql")).sort();
  const [concurrent, ordinary] = [files.filter(isConcurrent), files.filter((file) => !isConcurrent(file))];
  const applied = await retryDeadlocks(() => transaction(pool, (tx) => migrateInTransaction(tx, ordinary)));
  return [...applied, ...(await migrateConcurrently(pool, concurrent))];
}

/** Returns the migrations of this release that the database does not have yet. Changes nothing. */
export async function unappliedMigrations(db: Db): Promise<string[]> {
  const files = (await readdir(migrationsDir)).filter((file) => file.endsWith(".sql")).sort();
  const { rows } = await db.query<{ exists: boolean }>(sql`select to_regclass('migrations') is not null as exists`);
  return rows[0]?.exists ? findUnapplied(db, files) : files;
}

async function migrateInTransaction(tx: PoolClient, files: string[]): Promise<string[]> {
  await refuseOldServer(tx);
  await tx.query(sql`select pg_advisory_xact_lock(${migrationLock})`);
  await tx.query(sql`create table if not exists migrations (file text primary key, applied_at timestamptz not null default now())`);
  const unapplied = await findUnapplied(tx, files);
  for (const file of unapplied) await apply(tx, file);
  return unapplied;
}

/**
 * Runs `work`, and retries it after a deadlock. A deadlock can occur because the migration files and the running workers lock the same
 * tables in different orders.
 */
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

async function findUnapplied(db: Db, files: string[]): Promise<string[]> {
  const { rows } = await db.query<{ file: string }>(sql`select file from migrations`);
  const done = new Set(rows.map((row) => row.file));
  return files.filter((file) => !done.has(file));
}

/** Applies the concurrent files. Each file holds one statement, which can safely run again after an interruption. */
async function migrateConcurrently(pool: Pool, files: string[]): Promise<string[]> {
  const client = await pool.connect();
  try {
    if ((await findUnapplied(client, files)).length === 0) return [];
    await lockConcurrent(client);
    const unapplied = await findUnapplied(client, files);
    for (const file of unapplied) await applyConcurrently(client, file);
    return unapplied;
  } finally {
    client.release(true); // closing the connection releases the advisory lock
  }
}

/**
 * Polls until this process has the advisory lock. A statement that waited for the lock would keep a snapshot open. `create index
 * concurrently` in another process waits for all snapshots, so both would wait forever.
 */
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
  // An interrupted build leaves an invalid index behind, so any such index is dropped first.
  if (index) await client.query(`drop index concurrently if exists ${index}`);
  await client.query(statement);
  await client.query(sql`insert into migrations (file) values (${file})`);
}

/** Migrates the database at this URL. Opens a connection without a statement timeout, because a migration may take long. */
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

/** Throws if the server is too old for our statements. `version` is the server's `server_version_num`: 140005 stands for 14.5. */
export function checkServerVersion(version: number): void {
  const major = Math.floor(version / 10_000);
  if (major < oldestPostgres) throw new Error(`Ensemble needs Postgres ${oldestPostgres} or newer; this server is ${major}.`);
}
