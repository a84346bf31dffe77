import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { Sealable, type SealedColumnName, sealingUser } from "../../src/db/sealable.ts";
import { loadCipher } from "../../src/encryption/load-cipher.ts";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";

type Handler = (context: unknown, value: never) => Promise<unknown>;
interface Given {
  encrypt?: Record<string, Handler>;
  decrypt?: Record<string, Handler>;
  context?: () => Promise<unknown>;
}

const same: Handler = async (_, value) => value;
const hide: Handler = async (_, document: Record<string, unknown>) =>
  Object.fromEntries(Object.keys(document).map((key) => [key, `hidden ${key}`]));

/** Encrypts a value with these handlers and decrypts it again, as two statements do. */
async function roundTrip({ encrypt, decrypt, context }: Given, name: SealedColumnName, plain: string) {
  const exported = { encrypt: { blob: same, ...encrypt }, decrypt: { blob: same, ...decrypt }, ...(context && { context }) };
  const cipher = loadCipher({ aes: undefined, project: { name: "test", exported, timeoutSeconds: 0.2 } }, { error: () => {} });
  const sealed = await sealingUser.run({}, async () => cipher?.seal(new Sealable(name, plain), new Map()));
  return name === "effects.result" ? cipher?.openText(sealed ?? "", new Map()) : cipher?.openJson(sealed ?? "", new Map());
}

const document = JSON.stringify({ a: 1, b: { c: "two" } });

describe("a handler that never answers", () => {
  const never = () => new Promise(() => {});

  test.each([
    ["encrypt.blob", { encrypt: { blob: never } }, "effects.result"],
    ["decrypt.blob", { decrypt: { blob: never } }, "effects.result"],
    ["encrypt.json", { encrypt: { json: never }, decrypt: { json: same } }, "threads.values"],
    ["decrypt.json", { encrypt: { json: hide }, decrypt: { json: never } }, "threads.values"],
    ["context", { context: never }, "effects.result"],
  ] as const)("%s is given up, and the error names the setting", async (handler, given, column) => {
    await expect(roundTrip(given, column, document)).rejects.toThrow(
      `${handler} did not answer within 0.2 seconds (ENSEMBLE_ENCRYPTION_TIMEOUT_SECS)`,
    );
  });

  test("fails its requests, and gives their connection back", async () => {
    const project = await makeProject({
      "langgraph.json": {
        graphs: { steps: resolve("test/graphs/steps.ts:graph") },
        encryption: { path: "./encryption.mjs:encryption" },
      },
      "encryption.mjs": `
        const same = async (_, bytes) => bytes;
        const mayHang = (_, bytes) => Buffer.from(bytes).includes("hang") ? new Promise(() => {}) : same(_, bytes);
        export const encryption = { encrypt: { blob: mayHang }, decrypt: { blob: same } };`,
    });
    const env = { ENSEMBLE_CONFIG: `${project}/langgraph.json`, ENSEMBLE_ROLE: "api", ENSEMBLE_ENCRYPTION_TIMEOUT_SECS: "0.5" };
    const { client } = await startTestService({ ...env, DATABASE_POOL_SIZE: "1" });
    const create = (text: string) => client.runs.create(null, "steps", { input: { text } });
    await expect(create("hang")).rejects.toThrow("cannot be encrypted or decrypted");
    expect(await create("go")).toMatchObject({ status: "pending" });
  });
});

describe("a result of a handler for documents is refused", () => {
  const cyclic: unknown[] = [];
  cyclic.push({ cyclic });
  const asResult = (result: unknown) => async () => result;

  test.each([
    ["undefined", asResult(undefined), "decrypt.json returned undefined in place of a document"],
    ["a list", asResult([1]), "decrypt.json returned an array in place of a document"],
    ["a document without a key", asResult({ a: 1 }), 'decrypt.json returned no JSON value for "b"'],
    ["undefined in place of a value", asResult({ a: undefined, b: 1 }), 'decrypt.json returned no JSON value for "a"'],
    ["a date", asResult({ a: new Date(), b: 1 }), 'decrypt.json returned no JSON value for "a"'],
    ["bytes", asResult({ a: 1, b: { deep: [Buffer.from("x")] } }), 'decrypt.json returned no JSON value for "b"'],
    ["a number that JSON lacks", asResult({ a: Number.NaN, b: 1 }), 'decrypt.json returned no JSON value for "a"'],
    ["a bigint", asResult({ a: 1, b: 7n }), 'decrypt.json returned no JSON value for "b"'],
    ["a circle", asResult({ a: 1, b: cyclic }), 'decrypt.json returned no JSON value for "b"'],
  ])("when decrypt.json returns %s", async (_, json, reason) => {
    await expect(roundTrip({ encrypt: { json: hide }, decrypt: { json } }, "threads.values", document)).rejects.toThrow(reason);
  });

  test("when encrypt.json returns bytes, which would be stored as an object", async () => {
    const json = asResult({ a: Buffer.from("x"), b: "hidden" });
    await expect(roundTrip({ encrypt: { json }, decrypt: { json: same } }, "threads.values", document)).rejects.toThrow(
      'encrypt.json returned no JSON value for "a"',
    );
  });

  test("but not if its values are JSON, however deep", async () => {
    let deep: unknown = "end";
    for (let depth = 0; depth < 2_000; depth++) deep = depth % 2 ? [deep] : { deep };
    const shared = { twice: true };
    const plain = { a: deep, b: [shared, shared, null, false] };
    const json = asResult(plain);
    const { a, b } = (await roundTrip({ encrypt: { json: hide }, decrypt: { json } }, "threads.values", document)) as typeof plain;
    expect(a).toBe(deep);
    expect(b).toEqual(plain.b);
  });
});
