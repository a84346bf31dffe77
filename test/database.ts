import { randomUUID } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { afterFile } from "./after-file.ts";
import { databaseUrl } from "./cluster.ts";

/**
 * Creates a database for this test file, and drops it after the file. It is a copy of the migrated template, or of another template. If a
 * connection is still open at that time, the file fails, because a test forgot to close something.
 */
export async function createDatabase(template = inject("templateName")): Promise<string> {
  const serverUrl = inject("serverUrl");
  const name = `ensemble_${randomUUID().replaceAll("-", "")}`;
  await asAdmin(serverUrl, (admin) => admin.query(`create database ${name} template ${template}`));
  afterFile(async () => {
    await asAdmin(serverUrl, async (admin) => {
      const rows = await openConnections(admin, name);
      await admin.query(`drop database ${name} with (force)`);
      if (rows.length > 0) throw new Error(`The test left ${rows.length} connections open: ${JSON.stringify(rows)}`);
    });
  });
  return databaseUrl(serverUrl, name);
}

/**
 * Returns the clients' connections that are still open after a moment. The server needs that moment to notice that a client has gone. It
 * also lists its own autovacuum workers, which come at any time after a large insert, so they do not count.
 */
async function openConnections(admin: pg.Client, name: string): Promise<object[]> {
  for (const giveUp = Date.now() + 3_000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const { rows } = await admin.query(
      "select application_name, state, left(query, 100) as query from pg_stat_activity where datname = $1 and backend_type = 'client backend'",
      [name],
    );
    if (rows.length === 0 || Date.now() > giveUp) return rows;
  }
}

async function asAdmin(url: string, work: (admin: pg.Client) => Promise<unknown>): Promise<void> {
  const admin = new pg.Client(url);
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}
