import { resolve } from "node:path";
import { Writable } from "node:stream";
import pg from "pg";
import { pino } from "pino";
import { expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { type Service, startService } from "../../src/main.ts";
import { afterFile } from "../after-file.ts";
import { makeProject } from "../command.ts";
import { createDatabase } from "../database.ts";
import { clientFor } from "../service.ts";
import { eventually } from "../sse.ts";
import { findTraces } from "./traces.ts";

const plain = resolve("test/graphs/with-encryption/plain.json");
const oldKey = "an old key with 32 bytes. Right?";
const newKey = "a new key of 16b";
const secret = "Zaubernuss-4711-geheim";
const input = { secret, messages: [{ role: "user", content: secret }] };

/** Starts a service on a database that other services have used. Returns also the lines that it logs as errors. */
async function startOn(databaseUrl: string, env: Record<string, string>) {
  const lines: string[] = [];
  const log = pino(
    { level: "error" },
    new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    }),
  );
  const config = { ENSEMBLE_CONFIG: plain, DATABASE_URL: databaseUrl, PORT: "0", WORKER_DRAIN_TIMEOUT: "0.2", ...env };
  const service: Service = await startService(readConfig(config), log);
  let running = true;
  const stop = async () => {
    if (running) await service.stop();
    running = false;
  };
  afterFile(stop);
  return { ...clientFor(service.url ? [service.url] : []), stop, lines };
}

/** Returns a new database, and a pool that reads it as it is. */
async function newDatabase() {
  const url = await createDatabase();
  const db = new pg.Pool({ connectionString: url, max: 2 });
  afterFile(() => db.end());
  return { url, db };
}

const messageOf = (starting: Promise<unknown>) =>
  starting.then(
    () => "started",
    ({ message }: Error) => message,
  );

test("rows that were stored before the key was set stay readable, and new rows are encrypted", async () => {
  const { url, db } = await newDatabase();
  const before = await startOn(url, {});
  const { thread_id } = await before.client.threads.create();
  await before.client.runs.wait(thread_id, "confidant", { input: { ...input, secret: "an open word" } });
  await before.stop();

  const after = await startOn(url, { LANGGRAPH_AES_KEY: oldKey });
  expect((await after.client.threads.getState(thread_id)).values).toMatchObject({ secret: "an open word" });
  const answer = "Mondlicht-0815-geheim";
  const done = await after.client.runs.wait(thread_id, "confidant", { command: { resume: answer } });
  expect((done as unknown as { messages: object[] }).messages).toHaveLength(23);
  expect(done).toMatchObject({ secret: "an open word", answer });
  expect(await findTraces(db, answer)).toEqual([]);
});

test("a process without the key, or with another one, does not start and says which setting is missing", async () => {
  const { url } = await newDatabase();
  await (await startOn(url, { LANGGRAPH_AES_KEY: oldKey })).stop();
  expect(await messageOf(startOn(url, {}))).toContain("this process has no key. Set LANGGRAPH_AES_KEY");
  expect(await messageOf(startOn(url, { LANGGRAPH_AES_KEY: newKey }))).toContain("LANGGRAPH_AES_FALLBACK_KEYS");
  expect(await messageOf(startOn(url, { LANGGRAPH_AES_KEY: "too short" }))).toContain("must be 16, 24 or 32 bytes long");
  expect(await messageOf(startOn(url, { LANGGRAPH_AES_FALLBACK_KEYS: oldKey }))).toContain("needs LANGGRAPH_AES_KEY");
  await (await startOn(url, { LANGGRAPH_AES_KEY: oldKey })).stop();
});

test("after a rotation, old values are read with the old key, and new values are stored with the new one", async () => {
  const { url, db } = await newDatabase();
  const [old, next] = [oldKey, newKey];
  const first = await startOn(url, { LANGGRAPH_AES_KEY: old });
  const { thread_id } = await first.client.threads.create();
  await first.client.runs.wait(thread_id, "confidant", { input });
  await first.stop();

  const second = await startOn(url, { LANGGRAPH_AES_KEY: next, LANGGRAPH_AES_FALLBACK_KEYS: `${old},${next}` });
  expect((await second.client.threads.getState(thread_id)).values).toMatchObject({ secret });
  const done = await second.client.runs.wait(thread_id, "confidant", { command: { resume: "yes" } });
  expect((done as unknown as { messages: object[] }).messages).toHaveLength(23);
  // The row of the thread was stored again, but not that of the first run.
  const keysIn = async (column: string) => {
    const { rows } = await db.query<{ text: string }>(`select ${column}::text as text from ${column.split(".")[0]} where thread_id = $1`, [
      thread_id,
    ]);
    return new Set(rows.flatMap(({ text }) => [...text.matchAll(/ensemble\.sealed:av:[\w-]+:(.{10})/g)].map(([, start]) => start)));
  };
  expect((await keysIn('threads."values"')).size).toBe(1);
  expect((await keysIn("runs.kwargs")).size).toBe(2);
  const other = await second.client.threads.create();
  await second.client.runs.wait(other.thread_id, "confidant", { input });
  await second.stop();

  const third = await startOn(url, { LANGGRAPH_AES_KEY: next });
  const { rows: runs } = await db.query<{ run_id: string }>("select run_id from runs where thread_id = $1 limit 1", [thread_id]);
  await expect(third.client.runs.join(thread_id, runs[0]?.run_id ?? "")).rejects.toThrow("cannot be encrypted or decrypted");
  expect((await third.client.threads.getState(other.thread_id)).values).toMatchObject({ secret });
  await expect(third.client.threads.getState(thread_id)).rejects.toThrow("cannot be encrypted or decrypted");
  await expect(third.client.threads.getState(thread_id)).rejects.toThrow("The service's log says why");
  const reasons = third.lines.filter((line) => line.includes("encryption failed"));
  expect(reasons).toHaveLength(1);
  expect(reasons[0]).toContain("neither LANGGRAPH_AES_KEY nor one of LANGGRAPH_AES_FALLBACK_KEYS");
  expect(await findTraces(db, secret)).toEqual([]);
});

test("a run whose request or state cannot be decrypted waits for the key, and is not lost", async () => {
  const { url, db } = await newDatabase();
  const [old, next] = [oldKey, newKey];
  const first = await startOn(url, { LANGGRAPH_AES_KEY: old });
  const asked = await first.client.threads.create();
  await first.client.runs.wait(asked.thread_id, "confidant", { input });
  await first.stop();
  const api = await startOn(url, { LANGGRAPH_AES_KEY: old, ENSEMBLE_ROLE: "api" });
  const fresh = await api.client.runs.create((await api.client.threads.create()).thread_id, "confidant", { input });
  await api.stop();
  // The request of this run is stored with the new key, but the state that it continues with the old one.
  const both = await startOn(url, { LANGGRAPH_AES_KEY: next, LANGGRAPH_AES_FALLBACK_KEYS: old, ENSEMBLE_ROLE: "api" });
  const answering = await both.client.runs.create(asked.thread_id, "confidant", { command: { resume: "yes" } });
  await both.stop();

  const blind = await startOn(url, { LANGGRAPH_AES_KEY: next, ENSEMBLE_LEASE_SECS: "2" });
  const attempts = async () =>
    (await db.query("select min(attempt) as least from runs where run_id = any($1)", [[fresh.run_id, answering.run_id]])).rows[0].least;
  await eventually(attempts).toBeGreaterThan(1);
  const { rows } = await db.query("select status from runs where run_id = any($1)", [[fresh.run_id, answering.run_id]]);
  expect(rows.every(({ status }) => status === "pending" || status === "running")).toBe(true);
  await blind.stop();

  const seeing = await startOn(url, { LANGGRAPH_AES_KEY: next, LANGGRAPH_AES_FALLBACK_KEYS: old });
  expect(await seeing.client.runs.join(asked.thread_id, answering.run_id)).toMatchObject({ secret, answer: "yes" });
  expect(await seeing.client.runs.join(fresh.thread_id, fresh.run_id)).toMatchObject({
    __interrupt__: [{ value: { question: `What about ${secret}?` } }],
  });
});

test("a worker that was started before the key was set claims no runs of encrypted values", async () => {
  const { url, db } = await newDatabase();
  const before = await startOn(url, { ENSEMBLE_ROLE: "worker" });
  const api = await startOn(url, { LANGGRAPH_AES_KEY: oldKey, ENSEMBLE_ROLE: "api" });
  const { thread_id } = await api.client.threads.create();
  const { run_id } = await api.client.runs.create(thread_id, "confidant", { input });
  await eventually(() => before.lines.join("")).toContain("this one has no key, so it claims no runs");
  expect((await db.query("select attempt from runs where run_id = $1", [run_id])).rows).toEqual([{ attempt: 0 }]);
  await startOn(url, { LANGGRAPH_AES_KEY: oldKey, ENSEMBLE_ROLE: "worker" });
  expect(JSON.stringify(await api.client.runs.join(thread_id, run_id))).toContain(`What about ${secret}?`);
});

test("a client cannot store a text that looks encrypted, but may write about such texts", async () => {
  const { url } = await newDatabase();
  const { client, fetch } = await startOn(url, { LANGGRAPH_AES_KEY: oldKey });
  const forged = "ensemble.sealed:at:WyJhIiwiYiJd:AAAA";
  await expect(client.threads.create({ metadata: { note: forged } })).rejects.toThrow("looks like an encrypted value");
  const escaped = JSON.stringify({ metadata: { note: forged } }).replace("ensemble", "\\u0065nsemble");
  const response = await fetch("/threads", { method: "POST", body: escaped, headers: { "content-type": "application/json" } });
  expect(response.status).toBe(422);
  const { metadata } = await client.threads.create({ metadata: { note: "Values begin with ensemble.sealed:at: here" } });
  expect(metadata).toEqual({ note: "Values begin with ensemble.sealed:at: here" });
});

test("handlers that cannot encrypt stop the start with their reason, unless they need a user", async () => {
  const { url, db } = await newDatabase();
  const starting = async (context: string) => {
    const project = await makeProject({
      "langgraph.json": { graphs: { a: plain.replace("plain.json", "confidant.ts:graph") }, encryption: { path: "./e.mjs:encryption" } },
      "e.mjs": `
        const same = async (_, bytes) => bytes;
        const refuse = async ({ model, field }) => { throw new Error("no key for " + model + "." + field); };
        export const encryption = { encrypt: { blob: refuse }, decrypt: { blob: same } ${context} };`,
    });
    return messageOf(startOn(url, { ENSEMBLE_CONFIG: `${project}/langgraph.json` }));
  };
  const message = await starting("");
  expect(message).toContain("no key for sample.sample");
  expect(message).toContain("encryption.path");
  expect(await starting(", context: async (user) => ({ tenant: user.identity })")).toBe("started");
  expect((await db.query("select from encryption_sample")).rowCount).toBe(0);
});

test("an encryption that is not complete stops the start with a sentence", async () => {
  const { url } = await newDatabase();
  const starting = async (code: string) => {
    const files = {
      "langgraph.json": { graphs: { a: plain.replace("plain.json", "confidant.ts:graph") }, encryption: { path: "./e.mjs:encryption" } },
      "e.mjs": code,
    };
    const project = await makeProject(files);
    return messageOf(startOn(url, { ENSEMBLE_CONFIG: `${project}/langgraph.json` }));
  };
  expect(await starting("export const other = 1;")).toContain("is not an encryption");
  expect(await starting("export const encryption = { encrypt: { blob: async (_, b) => b }, decrypt: {} };")).toContain(
    "decrypt.blob must be a function",
  );
  expect(
    await starting(
      "const same = async (_, b) => b; export const encryption = { encrypt: { blob: same, json: same }, decrypt: { blob: same } };",
    ),
  ).toContain("both encrypt.json and decrypt.json");
});
