import { resolve } from "node:path";
import { expect, test } from "vitest";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";

/** Handlers whose encrypted values are twice as long as the plain ones. */
const encryption = `
export const encryption = {
  encrypt: { blob: async (_, bytes) => Buffer.from(Buffer.from(bytes).toString("hex")) },
  decrypt: { blob: async (_, bytes) => Buffer.from(Buffer.from(bytes).toString(), "hex") },
};
`;

test("the longest comment is stored, however much longer its encrypted form is", async () => {
  const project = await makeProject({
    "langgraph.json": { graphs: { steps: resolve("test/graphs/steps.ts:graph") }, encryption: { path: "./encryption.mjs:encryption" } },
    "encryption.mjs": encryption,
  });
  const { fetch, db } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
  const post = (path: string, body: object) =>
    fetch(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
  const run = { assistant_id: "steps", input: {}, feedback_keys: ["thumb"] };
  const { __feedback__ } = await (await post("/runs/wait", run)).json();
  const { pathname } = new URL(__feedback__.thumb);

  const comment = "語".repeat(10_000);
  expect((await post(pathname, { comment })).status).toBe(200);
  expect(await (await post("/feedback/search", {})).json()).toMatchObject([{ comment }]);
  expect((await post(pathname, { comment: `${comment}!` })).status).toBe(422);
  const { rows } = await db.query("select length(comment) > 60000 as long from feedback");
  expect(rows).toEqual([{ long: true }]);
});
