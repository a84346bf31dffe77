import { checkDatabaseUrl, explainDatabase } from "../db/address.ts";
import { migrateAt } from "../db/migrate.ts";
import { readEnvironment } from "./environment.ts";

export async function migrateDatabase(): Promise<void> {
  const { databaseUrl, databaseDirectUrl } = await readEnvironment();
  if (!databaseUrl) throw new Error("Set DATABASE_URL: the embedded database is migrated at every start.");
  const url = databaseDirectUrl
    ? checkDatabaseUrl("DATABASE_DIRECT_URL", databaseDirectUrl)
    : checkDatabaseUrl("DATABASE_URL", databaseUrl);
  const applied = await migrateAt(url).catch(explainDatabase(url));
  console.log(applied.length > 0 ? `Applied ${applied.join(", ")}.` : "The schema is up to date.");
}
