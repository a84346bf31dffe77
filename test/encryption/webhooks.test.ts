import pg from "pg";
import { expect, test } from "vitest";
import { openPool } from "../../src/db/pool.ts";
import { loadCipher } from "../../src/encryption/load-cipher.ts";
import { sealingClient } from "../../src/encryption/sealing-client.ts";
import { claimWebhooks } from "../../src/webhooks/webhooks.ts";
import { afterFile } from "../after-file.ts";
import { createDatabase } from "../database.ts";

const url = await createDatabase();
const cipher = loadCipher(
  { aes: { key: Buffer.from("a new key of 16b"), fallbackKeys: [], searchedKeys: [] }, project: undefined },
  { error: () => {} },
);
const pool = openPool({ url, size: 1, onError: () => {}, extend: (Base) => (cipher ? sealingClient(Base, cipher) : Base) });
const db = new pg.Pool({ connectionString: url, max: 1 });
afterFile(async () => {
  await pool.end();
  await db.end();
});

/** A value that this process cannot decrypt, because it was encrypted with another key. */
const unreadable = { values: "ensemble.sealed:at:WyJydW4iLCJrd2FyZ3MiXQ:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };

test("webhooks that cannot be decrypted do not hold up the others, however many there are", async () => {
  await db.query(
    `insert into webhooks (run_id, thread_id, url, host, run)
     select gen_random_uuid(), gen_random_uuid(), 'http://x', 'host' || to_char(n, 'FM0000'), case when n <= 510 then $1::json else '{}' end
       from generate_series(1, 1020) n`,
    [unreadable],
  );
  const hosts: string[] = [];
  const lasts: (string | undefined)[] = [];
  let last: string | undefined;
  for (let claims = 0; claims < 3; claims++) {
    const claimed = await claimWebhooks(pool, { new: 10_000, prompt: 32, slow: 32 }, [], last);
    hosts.push(...claimed.deliveries.map(({ host }) => host));
    last = claimed.last;
    lasts.push(last);
  }
  expect(lasts).toEqual(["host0500", "host1000", undefined]);
  expect(hosts).toHaveLength(510);
  expect(hosts.every((host) => host > "host0510")).toBe(true);
  const { rows } = await db.query(
    "select count(*)::integer as count from webhooks where run::text like '%ensemble.sealed%' and status = 'pending'",
  );
  expect(rows).toEqual([{ count: 510 }]);
});
