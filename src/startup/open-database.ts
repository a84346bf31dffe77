import type { Pool } from "pg";
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import { checkDatabaseUrl, explainDatabase } from "../db/address.ts";
import { startEmbeddedPostgres } from "../db/embedded.ts";
import { onceDatabaseAnswers } from "../db/failure.ts";
import { migrateAt } from "../db/migrate.ts";
import { closePool, openPool } from "../db/pool.ts";
import { checkKey } from "../encryption/check-key.ts";
import type { Cipher } from "../encryption/cipher.ts";
import { sealingClient } from "../encryption/sealing-client.ts";
import type { Closers } from "./closers.ts";

export interface Database {
  pool: Pool;
  /**
   * The URL for connections that must not go through a transaction pooler. LISTEN and advisory locks need such a connection, because they
   * belong to a session.
   */
  directUrl: string;
}

/** Returns the configured database URLs. Throws if a URL is malformed, so that the start fails before anything is loaded. */
export function configuredDatabase({ databaseUrl, databaseDirectUrl }: Config) {
  return {
    url: databaseUrl && checkDatabaseUrl("DATABASE_URL", databaseUrl),
    directUrl: databaseDirectUrl && checkDatabaseUrl("DATABASE_DIRECT_URL", databaseDirectUrl),
  };
}

/** Opens the database and migrates it. If no database is configured, starts the embedded one. */
export async function openDatabase(
  config: Config,
  given: ReturnType<typeof configuredDatabase>,
  { log, closers, stopping, cipher }: { log: Logger; closers: Closers; stopping: AbortSignal | undefined; cipher: Cipher | undefined },
): Promise<Database> {
  const url = given.url ?? (await embeddedUrl(config, closers));
  const directUrl = given.directUrl ?? url;
  await migrateOnceThere(directUrl, config.databaseWaitSeconds, log, stopping);
  const pool = openPool({
    url,
    size: config.poolSize,
    queryTimeoutSeconds: config.queryTimeoutSeconds,
    prepares: config.prepares,
    isPooled: given.directUrl !== undefined,
    extend: cipher && ((Base) => sealingClient(Base, cipher)),
    onError: (err) => log.warn({ err }, "lost a database connection"),
  });
  closers.push(() => closePool(pool));
  await checkKey(pool, cipher);
  return { pool, directUrl };
}

/**
 * Migrates the database as soon as the server responds. Waits up to `seconds` seconds, because the database may be the last container to
 * start.
 */
async function migrateOnceThere(url: string, seconds: number, log: Logger, signal: AbortSignal | undefined): Promise<void> {
  const onWaiting = ({ message }: Error) => log.warn({ reason: message }, `the database does not answer, waiting for up to ${seconds} s`);
  await onceDatabaseAnswers(() => migrateAt(url), { seconds, onWaiting, signal }).catch(explainDatabase(url));
}

async function embeddedUrl({ role, dataDir }: Config, closers: Closers): Promise<string> {
  if (role !== "all")
    throw new Error(`ENSEMBLE_ROLE=${role} needs DATABASE_URL: the embedded database serves one process that does everything.`);
  const embedded = await startEmbeddedPostgres(dataDir);
  closers.push(embedded.stop);
  return embedded.url;
}
