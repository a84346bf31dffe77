import type { Pool } from "pg";
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import { checkDatabaseUrl, explainDatabase } from "../db/address.ts";
import { startEmbeddedPostgres } from "../db/embedded.ts";
import { migrateAt } from "../db/migrate.ts";
import { closePool, openPool } from "../db/pool.ts";
import type { Closers } from "./closers.ts";

export interface Database {
  pool: Pool;
  /** Past a transaction pooler, for what needs a session. */
  directUrl: string;
}

/** Where the configuration says that the data is; a malformed address stops the start before anything was loaded. */
export function givenDatabase({ databaseUrl, databaseDirectUrl }: Config) {
  return {
    url: databaseUrl && checkDatabaseUrl("DATABASE_URL", databaseUrl),
    directUrl: databaseDirectUrl && checkDatabaseUrl("DATABASE_DIRECT_URL", databaseDirectUrl),
  };
}

/** The database as this release needs it: the given one, or an embedded one of our own, migrated. */
export async function openDatabase(
  config: Config,
  given: ReturnType<typeof givenDatabase>,
  log: Logger,
  closers: Closers,
): Promise<Database> {
  const url = given.url ?? (await embeddedUrl(config, closers));
  const directUrl = given.directUrl ?? url;
  await migrateAt(directUrl).catch(explainDatabase(directUrl));
  const pool = openPool({
    url,
    size: config.poolSize,
    queryTimeoutSeconds: config.queryTimeoutSeconds,
    prepares: config.prepares,
    onError: (err) => log.warn({ err }, "a database connection broke"),
  });
  closers.push(() => closePool(pool));
  return { pool, directUrl };
}

async function embeddedUrl({ role, dataDir }: Config, closers: Closers): Promise<string> {
  if (role !== "all")
    throw new Error(`ENSEMBLE_ROLE=${role} needs DATABASE_URL: the embedded database serves one process that does everything.`);
  const embedded = await startEmbeddedPostgres(dataDir);
  closers.push(embedded.stop);
  return embedded.url;
}
