import type { Pool } from "pg";
import { checkDatabaseUrl, explainDatabase } from "../db/address.ts";
import { findEmbeddedPostgres } from "../db/embedded.ts";
import { openPool } from "../db/pool.ts";
import { readEnvironment } from "./environment.ts";

/**
 * Calls `work` with a pool on the service's database. The database is the one in DATABASE_DIRECT_URL or DATABASE_URL, or else the embedded
 * one that runs.
 */
export async function withDatabase<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
  const { databaseUrl: pooledUrl, databaseDirectUrl, dataDir } = await readEnvironment();
  const databaseUrl = databaseDirectUrl ?? pooledUrl;
  const url = databaseUrl ? checkDatabaseUrl("DATABASE_URL", databaseUrl) : await findEmbeddedPostgres(dataDir);
  if (!url) throw new Error(`No service runs on ${dataDir}. Start one, or set DATABASE_URL.`);
  const pool = openPool({ url, size: 1, onError: () => {} });
  try {
    return await work(pool).catch(explainDatabase(url));
  } finally {
    await pool.end();
  }
}
