import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { openPool } from "../../src/db/pool.ts";
import { loadCipher } from "../../src/encryption/load-cipher.ts";
import { sealingClient } from "../../src/encryption/sealing-client.ts";
import { claimRuns } from "../../src/runs/claim.ts";
import { afterFile } from "../after-file.ts";
import { startTestService } from "../service.ts";

const { fetch, db, databaseUrl } = await startTestService({
  ENSEMBLE_ROLE: "api",
  ENSEMBLE_CONFIG: new URL("../graphs/queues.json", import.meta.url).pathname,
});
const aes = { key: Buffer.from("a new key of 16b"), fallbackKeys: [], searchedKeys: [] };
const cipher = loadCipher({ aes, project: undefined }, { error: () => {} });
const pool = openPool({ url: databaseUrl, size: 1, onError: () => {}, extend: (Base) => (cipher ? sealingClient(Base, cipher) : Base) });
afterFile(() => pool.end());

/** A value that this process cannot decrypt, because it was encrypted with another key. */
const unreadable = { input: "ensemble.sealed:av:WyJydW4iLCJrd2FyZ3MiXQ:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };

test("a claim says what the limits have done, even if no claimed run can be decrypted", async () => {
  const send = (method: string, path: string, body: object) =>
    fetch(path, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const workerId = randomUUID();
  await db.query("insert into workers (worker_id, lock_key, host, pid) values ($1, 1, 'here', 1)", [workerId]);
  expect((await send("PUT", "/limits/each", { graphs: ["steps"], per_key: 1 })).status).toBe(200);
  const runs = Array.from({ length: 3 }, () => ({ assistant_id: "steps", input: {}, metadata: { tenant: "one" } }));
  expect((await send("POST", "/runs/batch", runs)).status).toBe(200);
  await db.query("update runs set kwargs = $1", [unreadable]);

  const claim = (isLimited: boolean) => claimRuns(pool, workerId, { graphs: ["steps"], slots: 10, suspects: 1, maxCrashes: 3, isLimited });
  expect(await claim(false)).toEqual({ claims: [], parked: 0, contended: false, limited: true });
  // The first claim creates the row that counts the key's slots, and the second one takes a slot.
  expect(await claim(true)).toMatchObject({ contended: true });
  expect(await claim(true)).toEqual({ claims: [], parked: 2, contended: false, limited: true });
  const { rows } = await db.query("select status, count(*)::integer as count from runs group by 1 order by 1");
  expect(rows).toEqual([
    { status: "pending", count: 2 },
    { status: "running", count: 1 },
  ]);
});
