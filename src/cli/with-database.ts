import { existsSync } from "node:fs";
import type { Pool } from "pg";
import { type Config, projectFile } from "../config.ts";
import { checkDatabaseUrl, explainDatabase } from "../db/address.ts";
import { findEmbeddedPostgres } from "../db/embedded.ts";
import { openPool } from "../db/pool.ts";
import { checkKey } from "../encryption/check-key.ts";
import type { Cipher } from "../encryption/cipher.ts";
import { sealingClient } from "../encryption/sealing-client.ts";
import { readProject } from "../registry/project.ts";
import { readEnvironment } from "../startup/environment.ts";
import { provideCipher } from "../startup/provide-cipher.ts";

/**
 * Calls `work` with a pool on the service's database. This is the database in DATABASE_DIRECT_URL or DATABASE_URL, or else the running
 * embedded database.
 */
export async function withDatabase<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
  return withPool(await readEnvironment(), undefined, work);
}

/** Calls `work` like `withDatabase`. The pool encrypts and decrypts user data as the service does. */
export async function withValues<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
  const config = await readEnvironment();
  const file = projectFile();
  const project = existsSync(file) ? await readProject(file) : { encryption: undefined };
  const cipher = await provideCipher(config, project, { error: () => {} });
  return withPool(config, cipher, async (pool) => {
    await checkKey(pool, cipher);
    return work(pool);
  });
}

async function withPool<T>(config: Config, cipher: Cipher | undefined, work: (pool: Pool) => Promise<T>): Promise<T> {
  const { databaseUrl: pooledUrl, databaseDirectUrl, dataDir } = config;
  const databaseUrl = databaseDirectUrl ?? pooledUrl;
  const url = databaseUrl ? checkDatabaseUrl("DATABASE_URL", databaseUrl) : await findEmbeddedPostgres(dataDir);
  if (!url) throw new Error(`No service runs on ${dataDir}. Start one, or set DATABASE_URL.`);
  const pool = openPool({ url, size: 1, extend: cipher && ((Base) => sealingClient(Base, cipher)), onError: () => {} });
  try {
    return await work(pool).catch(explainDatabase(url));
  } finally {
    await pool.end();
  }
}
