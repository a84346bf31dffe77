import { readConfig } from "../config.ts";
import { migrate } from "../db/migrate.ts";
import { openPool } from "../db/pool.ts";

export async function migrateDatabase(): Promise<void> {
  const { databaseUrl } = readConfig();
  if (!databaseUrl) throw new Error("Set DATABASE_URL: the embedded database is migrated at every start.");
  const pool = openPool({ url: databaseUrl, size: 1, onError: () => {} });
  try {
    const applied = await migrate(pool);
    console.log(applied.length > 0 ? `Applied ${applied.join(", ")}.` : "The schema is up to date.");
  } finally {
    await pool.end();
  }
}
