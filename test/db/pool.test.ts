import { expect, onTestFinished, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startWakeups } from "../../src/db/listen.ts";
import { openPool } from "../../src/db/pool.ts";
import { prepared, sql } from "../../src/db/sql.ts";
import { createDatabase } from "../database.ts";

const url = await createDatabase();

/** Returns the statements that the server keeps after a frequent statement has run twice. */
async function keptStatements(prepares: boolean): Promise<string[]> {
  const pool = openPool({ url, size: 1, prepares, onError: () => {} });
  onTestFinished(() => pool.end());
  for (const number of [1, 2]) {
    const { rows } = await pool.query<{ number: number }>(prepared("often", sql`select ${number}::integer as number`));
    expect(rows).toEqual([{ number }]);
  }
  const { rows } = await pool.query<{ name: string }>("select name from pg_prepared_statements");
  return rows.map(({ name }) => name);
}

test("frequent statements are prepared, unless a pooler may share their connection", async () => {
  expect(await keptStatements(true)).toEqual(["often"]);
  expect(await keptStatements(false)).toEqual([]);
});

test("setting DATABASE_DIRECT_URL implies a pooler and turns prepared statements off", () => {
  const direct = { DATABASE_DIRECT_URL: "postgres://db/x" };
  expect(readConfig({}).prepares).toBe(true);
  expect(readConfig(direct).prepares).toBe(false);
  expect(readConfig({ ...direct, DATABASE_PREPARED_STATEMENTS: "on" }).prepares).toBe(true);
  expect(readConfig({ DATABASE_PREPARED_STATEMENTS: "off" }).prepares).toBe(false);
});

test("a query timeout is also the server's statement_timeout", async () => {
  const pool = openPool({ url, size: 1, queryTimeoutSeconds: 0.2, onError: () => {} });
  onTestFinished(() => pool.end());
  const { rows } = await pool.query("show statement_timeout");
  expect(rows).toEqual([{ statement_timeout: "200ms" }]);
});

test("the listening connection has its own application_name, even if the URL sets one", async () => {
  const named = new URL(url);
  named.searchParams.set("application_name", "ours");
  const pool = openPool({ url: named.href, size: 1, onError: () => {} });
  const wakeups = await startWakeups({ pool, url: named.href, onError: () => {} });
  onTestFinished(async () => {
    await wakeups.stop();
    await pool.end();
  });
  const { rowCount } = await pool.query(
    "select 1 from pg_stat_activity where datname = current_database() and application_name = 'ensemble listen'",
  );
  expect(rowCount).toBe(1);
});
