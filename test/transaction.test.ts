import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { sql, transaction } from "../src/db/sql.ts";
import { createDatabase } from "./database.ts";

const pool = new pg.Pool({ connectionString: await createDatabase(), max: 2 });
pool.on("error", () => {}); // as in main.ts: the idle ones
afterAll(() => pool.end());

const deaf: Error[] = [];
const hear = (error: Error) => deaf.push(error);
process.on("uncaughtException", hear);
afterAll(() => process.off("uncaughtException", hear));

test("a line that breaks between two statements fails its transaction and nothing else", async () => {
  const broken = transaction(pool, async (tx) => {
    await tx.query("create table half (id int)");
    const { rows } = await tx.query<{ pid: number }>("select pg_backend_pid() as pid");
    const lost = new Promise((resolve) => tx.once("end", resolve));
    await pool.query("select pg_terminate_backend($1)", [rows[0]?.pid]);
    await lost;
    await sleep(20);
    await tx.query("select 1");
  });

  await expect(broken).rejects.toThrow(/not queryable|terminat|closed/i);
  expect(deaf).toEqual([]);
  const { rows } = await transaction(pool, (tx) => tx.query<{ half: string | null }>(sql`select to_regclass('half')::text as half`));
  expect(rows).toEqual([{ half: null }]);
  expect(pool.totalCount).toBe(1); // the broken one is not kept
});
