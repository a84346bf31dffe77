import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, expect, test } from "vitest";
import { makeProject, until } from "../command.ts";
import { createDatabase } from "../database.ts";
import { clientFor, startProcess } from "../service.ts";

/** A server in place of LangSmith's, over real HTTP. */
const calls: { path: string; text: string }[] = [];
let answer = (reply: ServerResponse) => void reply.writeHead(202, { "content-type": "application/json" }).end("{}");
const server = createServer(async (request, reply) => {
  const body = await buffer(request).catch(() => undefined);
  if (body === undefined) return; // the service was stopped while it sent the request
  calls.push({ path: request.url ?? "", text: body.toString() });
  answer(reply);
});
server.listen(0, "127.0.0.1");
await new Promise((listening) => server.once("listening", listening));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const project = await makeProject({ "langgraph.json": { graphs: { steps: `${resolve("test/graphs/steps.ts")}:graph` } } });
const env = {
  PORT: "0",
  LOG_LEVEL: "silent",
  ENSEMBLE_CONFIG: `${project}/langgraph.json`,
  LANGSMITH_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  LANGSMITH_API_KEY: "key",
  LANGSMITH_PROJECT: "ensemble-test",
};

/** Starts a separate process, because LangChain reads its variables only once. */
async function start(more: Record<string, string>) {
  const service = await startProcess({ ...env, DATABASE_URL: await createDatabase(), ...more });
  afterAll(() => service.stop());
  return { ...clientFor([service.url ?? ""]), stop: service.stop };
}

/** Returns the flag that clients see. */
async function flagIn(fetch: (path: string) => Promise<Response>): Promise<boolean> {
  const { flags } = (await (await fetch("/info")).json()) as { flags: { langsmith: boolean } };
  return flags.langsmith;
}

test("LangSmith's own variables turn its tracing on, and runs continue when LangSmith fails or hangs", async () => {
  const { client, fetch, stop } = await start({ LANGSMITH_TRACING: "true" });
  expect(await flagIn(fetch)).toBe(true);
  const run = async () => expect(await client.runs.wait(null, "steps", { input: {} })).toMatchObject({ last: "three" });
  const traced = () => calls.filter(({ path }) => path.startsWith("/runs"));
  await run();
  await until(() => traced().some(({ text }) => text.includes("ensemble-test")));

  answer = (reply) => void reply.writeHead(500).end();
  const beforeFailing = traced().length;
  await run();
  await until(() => traced().length > beforeFailing);
  await run();

  answer = () => {}; // from now on, no request gets a response
  const beforeHanging = calls.length;
  for (let n = 0; n < 3; n++) await run();
  await until(() => calls.length > beforeHanging);
  await run();
  expect(await stop()).toBe(0);
});

test("without the tracing variables nothing is sent to LangSmith", async () => {
  const before = calls.length;
  const { client, fetch, stop } = await start({});
  expect(await flagIn(fetch)).toBe(false);
  await client.runs.wait(null, "steps", { input: {} });
  await stop(); // all pending requests have been sent or dropped
  expect(calls.slice(before)).toEqual([]);
});
