import { decryptCheckpoints, refuseEncrypted } from "../checkpoints/decrypt.ts";
import { exportLists } from "../checkpoints/export.ts";
import { checkDatabaseUrl, explainDatabase } from "../db/address.ts";
import { migrateAt } from "../db/migrate.ts";
import { haltRuns, resumeRuns } from "../runs/halt.ts";
import { readEnvironment } from "../startup/environment.ts";
import { withDatabase, withValues } from "./with-database.ts";

/** Migrates the configured database to this release. */
export async function migrateDatabase(): Promise<void> {
  const { databaseUrl, databaseDirectUrl } = await readEnvironment();
  if (!databaseUrl) throw new Error("Set DATABASE_URL: the embedded database is migrated at every start.");
  const url = databaseDirectUrl
    ? checkDatabaseUrl("DATABASE_DIRECT_URL", databaseDirectUrl)
    : checkDatabaseUrl("DATABASE_URL", databaseUrl);
  const applied = await migrateAt(url).catch(explainDatabase(url));
  console.log(applied.length > 0 ? `Applied ${applied.join(", ")}.` : "The schema is up to date.");
}

/** Halts the service until `ensemble resume` is run. */
export async function halt(): Promise<void> {
  await withDatabase(haltRuns);
  console.log("Halted. No run is claimed, and running runs go back to the queue at their next step. `ensemble resume` continues the work.");
}

/** Ends a halt, so that workers claim runs again. */
export async function resume(): Promise<void> {
  await withDatabase(resumeRuns);
  console.log("Resumed.");
}

/**
 * Rewrites the stored lists so that each row holds a whole list. LangGraph's own PostgresSaver can then read the checkpoint tables. With
 * `decrypts`, also decrypts the checkpoints. Otherwise, throws if they are encrypted.
 */
export async function exportCheckpoints({ decrypts }: { decrypts: boolean }): Promise<void> {
  const exported = await withValues(async (pool) => {
    if (decrypts) await decryptCheckpoints(pool);
    else await refuseEncrypted(pool);
    return exportLists(pool);
  });
  console.log(`${exported} versions of lists are stored whole now. LangGraph's own PostgresSaver can read all of them.`);
}
