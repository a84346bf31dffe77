import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { closePool, openPool } from "../../src/db/pool.ts";
import { sql, transaction } from "../../src/db/sql.ts";
import { createDatabase } from "../database.ts";

const pool = new pg.Pool({ connectionString: await createDatabase(), max: 2 });
pool.on("error", () => {}); // as in main.ts, for idle connections
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
  expect(pool.totalCount).toBe(1); // the pool does not keep the broken connection
});

test("a connection that the server ends in the same breath in which it welcomes it ends nothing else", async () => {
  const message = (type: string, body: Buffer) => Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
  const int32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer).swap32();
  const welcome = [message("R", int32(0)), message("Z", Buffer.from("I"))];
  const farewell = message("E", Buffer.from("SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"));
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(Buffer.concat([...welcome, farewell])));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const short = openPool({ url: `postgres://u:p@127.0.0.1:${port}/db`, size: 1, onError: () => {} });

  await expect(transaction(short, (tx) => tx.query("select 1"))).rejects.toThrow();
  expect(deaf).toEqual([]);
  await closePool(short);
  server.close();
});
