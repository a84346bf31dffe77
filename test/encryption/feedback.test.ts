import { resolve } from "node:path";
import { expect, test } from "vitest";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";

/** Handlers whose encrypted values are twice as long as the plain ones. They note which fields they decrypt. */
const encryption = `
globalThis.decryptedFields = [];
export const encryption = {
  encrypt: { blob: async (_, bytes) => Buffer.from(Buffer.from(bytes).toString("hex")) },
  decrypt: {
    blob: async ({ model, field }, bytes) => {
      globalThis.decryptedFields.push(model + "." + field);
      return Buffer.from(Buffer.from(bytes).toString(), "hex");
    },
  },
};
`;

const project = await makeProject({
  "langgraph.json": { graphs: { steps: resolve("test/graphs/steps.ts:graph") }, encryption: { path: "./encryption.mjs:encryption" } },
  "encryption.mjs": encryption,
});
const { client, fetch, db } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
const { decryptedFields } = globalThis as unknown as { decryptedFields: string[] };

const post = (path: string, body: object) =>
  fetch(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });

/** Executes a run on a new thread. Returns its ids and the path of its feedback URL. */
async function runWithFeedback() {
  const { thread_id } = await client.threads.create();
  const waiting = await post(`/threads/${thread_id}/runs/wait`, { assistant_id: "steps", input: {}, feedback_keys: ["thumb"] });
  const { __feedback__ } = await waiting.json();
  const [run] = await client.runs.list(thread_id);
  return { thread_id, run_id: run?.run_id ?? "", path: new URL(__feedback__.thumb).pathname };
}

test("the longest comment is stored, however much longer its encrypted form is", async () => {
  const { run_id, path } = await runWithFeedback();
  const comment = "語".repeat(10_000);
  expect((await post(path, { comment })).status).toBe(200);
  expect(await (await post("/feedback/search", { run_id })).json()).toMatchObject([{ comment }]);
  expect((await post(path, { comment: `${comment}!` })).status).toBe(422);
  const { rows } = await db.query("select length(comment) > 60000 as long from feedback where run_id = $1", [run_id]);
  expect(rows).toEqual([{ long: true }]);
});

test("feedback is decrypted only by requests that return it", async () => {
  const { thread_id, run_id, path } = await runWithFeedback();
  const feedback = { value: "private", comment: "private", correction: "private", metadata: { note: "private" } };
  expect((await post(path, feedback)).status).toBe(200);
  const fieldsOf = async (send: () => Promise<unknown>) => {
    decryptedFields.length = 0;
    await send();
    return decryptedFields.filter((field) => field.startsWith("feedback.")).sort();
  };
  expect(await fieldsOf(() => client.runs.join(thread_id, run_id))).toEqual([]);
  expect(await fieldsOf(() => post(path, { score: 1 }))).toEqual(["feedback.comment", "feedback.value"]);
  expect(await fieldsOf(() => fetch(`/threads/${thread_id}/runs/${run_id}/feedback`))).toEqual(
    ["comment", "correction", "metadata", "value"].map((field) => `feedback.${field}`),
  );
});
