import pg from "pg";
import { expect, test } from "vitest";
import { openPool } from "../../src/db/pool.ts";
import { loadCipher } from "../../src/encryption/load-cipher.ts";
import { sealingClient } from "../../src/encryption/sealing-client.ts";
import { addOutcomes, readOutcomes } from "../../src/stats/agent-health.ts";
import { afterFile } from "../after-file.ts";
import { createDatabase } from "../database.ts";
import { findTraces } from "./traces.ts";

const url = await createDatabase();
const aes = { key: Buffer.from("a new key of 16b"), fallbackKeys: [], searchedKeys: [] };
const cipher = loadCipher({ aes, project: undefined }, { error: () => {} });
const sealing = openPool({ url, size: 1, onError: () => {}, extend: (Base) => (cipher ? sealingClient(Base, cipher) : Base) });
const plain = new pg.Pool({ connectionString: url, max: 1 });
afterFile(async () => {
  await sealing.end();
  await plain.end();
});

test("the last error of an agent is encrypted, and comes back", async () => {
  const outcomes = { graphId: "team", agent: "writer", outcomes: "f", lastError: "Zaubernuss-4711-geheim" };
  await addOutcomes(sealing, [outcomes]);
  expect(await readOutcomes(sealing)).toMatchObject([outcomes]);
  expect(await findTraces(plain, outcomes.lastError)).toEqual([]);
  await addOutcomes(plain, [outcomes]);
  expect(await findTraces(plain, outcomes.lastError)).toEqual(["agent_health.last_error"]);
});
