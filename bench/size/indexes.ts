import { readdir, readFile } from "node:fs/promises";
import type pg from "pg";

const migrations = new URL("../../migrations/", import.meta.url);

/** Rebuilds each index that an upgrade builds while workers run. Returns the seconds for each index. */
export async function rebuildIndexes(db: pg.Client): Promise<Record<string, number>> {
  const seconds: Record<string, number> = {};
  for (const file of (await readdir(migrations)).sort()) {
    const statement = await readFile(new URL(file, migrations), "utf8");
    const [, index] = /^create (?:unique )?index concurrently (\w+)/m.exec(statement) ?? [];
    if (index === undefined) continue;
    await db.query(`drop index concurrently if exists ${index}`);
    const started = performance.now();
    await db.query(statement);
    seconds[index] = (performance.now() - started) / 1000;
  }
  return seconds;
}
