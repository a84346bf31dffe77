import { resolve } from "node:path";
import { Client } from "@langchain/langgraph-sdk";
import { beforeEach, describe, expect, test } from "vitest";
import { newId } from "../../src/db/ids.ts";
import { feedbackTokens } from "../../src/feedback/tokens.ts";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";

/** Handlers that hide values well enough for a test. They fail to decrypt while `broken` is set, as if a key management system were down. */
const handlers = (withJson: boolean) => `
const turn = (bytes) => Uint8Array.from(bytes, (byte) => byte ^ 0x55);
const hide = (value) => "hidden:" + Buffer.from(turn(Buffer.from(JSON.stringify(value)))).toString("base64");
const show = (text) => JSON.parse(Buffer.from(turn(Buffer.from(text.slice(7), "base64"))).toString());
const each = (document, change) => Object.fromEntries(Object.entries(document).map(([key, value]) => [key, change(value)]));
const works = () => { if (globalThis.brokenDecryption) throw new Error("The key management system does not answer."); };
export const encryption = {
  encrypt: {
    blob: async (_, bytes) => turn(bytes),
    ${withJson ? "json: async (_, document) => each(document, hide)," : ""}
  },
  decrypt: {
    blob: async (_, bytes) => { works(); return turn(bytes); },
    ${withJson ? 'json: async (_, document) => { works(); return each(document, (value) => String(value).startsWith("hidden:") ? show(value) : value); },' : ""}
  },
};
`;

const breakDecryption = (isBroken: boolean) => Object.assign(globalThis, { brokenDecryption: isBroken });
beforeEach(() => breakDecryption(false));

describe.each([
  ["blobs", false],
  ["documents", true],
])("with handlers for %s that cannot decrypt", async (_, withJson) => {
  const project = await makeProject({
    "langgraph.json": {
      graphs: { steps: resolve("test/graphs/steps.ts:graph") },
      encryption: { path: "./encryption.mjs:encryption" },
    },
    "encryption.mjs": handlers(withJson),
  });
  // Without a worker, no run is claimed, so a run stays as it was created.
  const { urls, db, fetch } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json`, ENSEMBLE_ROLE: "api" });
  const client = new Client({ apiUrl: urls[0] ?? "", callerOptions: { maxRetries: 0 } });
  const post = (path: string, body: object) =>
    fetch(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
  const metadata = { customer: { name: "Ada" }, note: "private" };
  const input = { text: "private", deep: [{ own: "private" }] };

  /** Returns a URL for feedback about a run that does not exist any more. */
  async function feedbackUrl(): Promise<string> {
    const runId = newId();
    await db.query("insert into feedback (run_id, key, thread_id, assistant_id) values ($1, 'thumb', $1, $1)", [runId]);
    const tokens = feedbackTokens(db, { feedbackSecrets: [], feedbackUrlHours: 1 });
    return tokens.pathFor({ runId, key: "thumb", expires: Date.now() / 1_000 + 3_600 });
  }

  test("runs on new threads are created and answered, also if one statement creates several of them", async () => {
    breakDecryption(true);
    const made = await Promise.all(Array.from({ length: 5 }, () => client.runs.create(null, "steps", { input, metadata })));
    for (const run of made) expect(run).toMatchObject({ status: "pending", metadata, kwargs: { input } });
    const { rows } = await db.query("select count(*)::integer as count from runs where run_id = any($1)", [
      made.map(({ run_id }) => run_id),
    ]);
    expect(rows).toEqual([{ count: 5 }]);
  });

  test("a batch of runs, an assistant and a thread are created and answered", async () => {
    breakDecryption(true);
    const thread = await client.threads.create({ metadata });
    expect(thread).toMatchObject({ status: "idle", metadata, values: null });
    const assistant = await client.assistants.create({ graphId: "steps", context: { tone: "private" }, metadata });
    expect(assistant).toMatchObject({ context: { tone: "private" }, metadata });
    const [run] = await client.runs.createBatch([{ assistantId: "steps", input, metadata }] as never);
    expect(run).toMatchObject({ metadata, kwargs: { input } });
  });

  test("a change whose answer cannot be decrypted is refused, and changes nothing", async () => {
    const { thread_id } = await client.threads.create({ graphId: "steps" });
    await client.threads.updateState(thread_id, { values: { last: "private" } });
    const assistant = await client.assistants.create({ graphId: "steps", context: { tone: "private" } });
    await client.assistants.update(assistant.assistant_id, { context: {} });
    const feedback = await feedbackUrl();
    expect((await post(feedback, { comment: "private" })).status).toBe(200);
    const stored = async () =>
      (
        await db.query(`select (select json_agg(t) from threads t) as threads, (select json_agg(a) from assistants a) as assistants,
                               (select json_agg(f) from feedback f) as feedback`)
      ).rows;
    const before = await stored();
    breakDecryption(true);
    const refusal = "cannot be encrypted or decrypted";
    await expect(client.threads.update(thread_id, { metadata: { more: "private" } })).rejects.toThrow(refusal);
    await expect(client.threads.copy(thread_id)).rejects.toThrow(refusal);
    await expect(client.assistants.setLatest(assistant.assistant_id, 1)).rejects.toThrow(refusal);
    expect((await post(feedback, { score: 1 })).status).toBe(500);
    expect(await stored()).toEqual(before);
    breakDecryption(false);
    expect((await post(feedback, { score: 1 })).status).toBe(200);
  });
});
