import { resolve } from "node:path";
import { expect, test } from "vitest";
import { makeProject, runCommand } from "../command.ts";
import { createDatabase } from "../database.ts";
import { startTestService } from "../service.ts";

const plain = resolve("test/graphs/with-encryption/plain.json");
const key = "a key of 32 bytes for the doctor";
const { databaseUrl } = await startTestService({ ENSEMBLE_CONFIG: plain, LANGGRAPH_AES_KEY: key });

const doctor = async (env: Record<string, string>) => {
  const { code, stdout } = await runCommand(["doctor"], { NO_COLOR: "1", DATABASE_URL: databaseUrl, ENSEMBLE_CONFIG: plain, ...env });
  return { code, line: stdout.split("\n").find((one) => one.includes("Cipher")) };
};

test("the doctor says that the key of the database is right", async () => {
  const { code, line } = await doctor({ LANGGRAPH_AES_KEY: key });
  expect({ code, line }).toEqual({ code: 0, line: "✓ Cipher    Values are encrypted, and the sample in the database can be read." });
});

test("the doctor has no objection to handlers that need a user", async () => {
  const project = await makeProject({
    "langgraph.json": { graphs: { hi: resolve("test/graphs/steps.ts:graph") }, encryption: { path: "./tenants.mjs:encryption" } },
    "tenants.mjs": `
      const refuse = async () => { throw new Error("no tenant"); };
      export const encryption = { encrypt: { blob: refuse }, decrypt: { blob: refuse }, context: async (user) => ({ tenant: user.identity }) };`,
  });
  const { code, line } = await doctor({ ENSEMBLE_CONFIG: `${project}/langgraph.json`, DATABASE_URL: await createDatabase() });
  expect({ code, line }).toEqual({ code: 0, line: "✓ Cipher    Values are encrypted." });
});

test("the doctor finds a missing key, another key, and handlers that do not give back what they got", async () => {
  expect(await doctor({})).toMatchObject({ code: 1, line: expect.stringMatching(/^✗ Cipher {4}The database holds encrypted values, but/) });
  const other = await doctor({ LANGGRAPH_AES_KEY: "another key that has 32 bytes too".slice(0, 32) });
  expect(other).toMatchObject({ code: 1, line: expect.stringMatching(/^✗ Cipher /) });
  expect(other.line).not.toContain("does not answer");
  const project = await makeProject({
    "langgraph.json": { graphs: { hi: resolve("test/graphs/steps.ts:graph") }, encryption: { path: "./wrong.mjs:encryption" } },
    "wrong.mjs": `
      export const encryption = {
        encrypt: { blob: async (_context, blob) => blob, json: async (_context, document) => document },
        decrypt: { blob: async () => Buffer.from("another text"), json: async (_context, document) => document },
      };`,
  });
  const wrong = await doctor({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
  expect(wrong).toMatchObject({ code: 1, line: "✗ Cipher    A text that was encrypted and decrypted again is not the same." });
});
