import { resolve } from "node:path";
import { Client } from "@langchain/langgraph-sdk";
import { expect, test } from "vitest";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";
import { findTraces } from "./traces.ts";

/** Handlers with a key for each tenant. The context handler takes the tenant from the user. */
const encryption = `
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
const keyOf = ({ metadata }) => createHash("sha256").update("key of " + (metadata.tenant ?? "the service")).digest();
const seal = (context, bytes) => {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", keyOf(context), iv);
  const sealed = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
};
const open = (context, bytes) => {
  const decipher = createDecipheriv("aes-256-gcm", keyOf(context), bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(12, 28));
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
};
export const encryption = {
  encrypt: { blob: async (context, bytes) => seal(context, bytes) },
  decrypt: { blob: async (context, bytes) => open(context, bytes) },
  context: async (user) => ({ tenant: user.identity }),
};
`;

const secret = "Zaubernuss-4711-geheim";

/** Returns the tenants that the heads of encrypted values in these columns name. */
function tenantsIn(texts: string[]): unknown[] {
  const heads = texts.flatMap((text) => [...text.matchAll(/ensemble\.sealed:[ah][tvj]:([\w-]+):/g)].map(([, head = ""]) => head));
  return [...new Set(heads.map((head) => JSON.parse(Buffer.from(head, "base64url").toString())[2]?.tenant))].sort();
}

test("each user's values are encrypted in the user's context, by the API and by workers", async () => {
  const root = resolve("test/graphs");
  const project = await makeProject({
    "langgraph.json": {
      graphs: { confidant: `${root}/with-encryption/confidant.ts:graph` },
      auth: { path: `${root}/with-auth/auth.ts:auth` },
      encryption: { path: "./encryption.mjs:encryption" },
    },
    "encryption.mjs": encryption,
  });
  const { db, urls } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
  const clientOf = (name: string) => new Client({ apiUrl: urls[0] ?? "", defaultHeaders: { authorization: `Bearer ${name}` } });
  const threads = await Promise.all(
    ["alice", "bob"].map(async (name) => {
      const client = clientOf(name);
      const input = { secret, messages: [{ role: "user", content: secret }] };
      const runs = await Promise.all([client.runs.wait(null, "confidant", { input }), client.runs.wait(null, "confidant", { input })]);
      expect(JSON.stringify(runs)).toContain(`What about ${secret}?`);
      const { thread_id } = await client.threads.create();
      await client.runs.wait(thread_id, "confidant", { input });
      const done = await client.runs.wait(thread_id, "confidant", { command: { resume: "yes" } });
      expect(done).toMatchObject({ secret, answer: "yes" });
      return [name, thread_id] as const;
    }),
  );
  for (const [name, thread] of threads) {
    const { rows } = await db.query<{ text: string }>(
      `select to_json(t)::text as text from threads t where thread_id = $1
       union all select to_json(r)::text from runs r where thread_id = $1
       union all select data from run_events join runs using (run_id) where thread_id = $1
       union all select convert_from(blob, 'UTF8') from checkpoint_blobs where blob is not null and thread_id = $1::text
       union all select metadata::text from checkpoints where thread_id = $1::text`,
      [thread],
    );
    expect(rows.length).toBeGreaterThan(10);
    expect(tenantsIn(rows.map(({ text }) => text))).toEqual([name]);
  }
  expect(await findTraces(db, secret)).toEqual([]);
  // The user's own data, which auth returns and the service stores with the run.
  expect(await findTraces(db, "canary-alice")).toEqual([]);
});
