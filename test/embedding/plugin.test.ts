import { existsSync } from "node:fs";
import { Client } from "@langchain/langgraph-sdk";
import Fastify from "fastify";
import { expect, test } from "vitest";
import { ensemble } from "../../src/index.ts";
import { createDatabase } from "../database.ts";
import { collect, eventually } from "../sse.ts";
import { configOf, startHost } from "./host.ts";

const databaseUrl = await createDatabase();
const { app, url, client, seen, answered } = await startHost(databaseUrl, {
  before(app) {
    app.get("/ask", async () => new Client().runs.wait(null, "steps", { input: {} }));
    app.post("/echo", async ({ body }) => body);
  },
});

test("the SDK runs a graph below the prefix, waits for it, streams it and joins it", async () => {
  const { thread_id } = await client.threads.create();
  expect(await client.runs.wait(thread_id, "steps", { input: {} })).toMatchObject({ last: "three" });

  const events = await collect(client.runs.stream(thread_id, "steps", { input: {}, streamMode: "updates" }));
  expect(events.map(({ event }) => event)).toEqual(["metadata", "updates", "updates", "updates"]);

  const { run_id } = await client.runs.create(thread_id, "steps", { input: {} });
  expect(await client.runs.join(thread_id, run_id)).toMatchObject({ last: "three" });
});

test("the app's own routes work beside the service, and read their own bodies", async () => {
  expect(await (await fetch(`${url}/hello`)).json()).toEqual({ hello: "world" });
  const echo = { method: "POST", body: '{"a":1}', headers: { "content-type": "application/json" } };
  expect(await (await fetch(`${url}/echo`, echo)).json()).toEqual({ a: 1 });
  expect((await fetch(`${url}/threads`, { ...echo, body: "{}" })).status).toBe(404); // only the prefix leads to the service
});

test("a route of the app calls the service in-process, with a client without a URL", async () => {
  expect(await (await fetch(`${url}/ask`)).json()).toMatchObject({ last: "three" });
});

test("the app's hooks run before the service, and can refuse its requests", async () => {
  seen.length = 0;
  const refused = await fetch(`${url}/agents/threads`, { method: "POST", body: "{}", headers: { "x-badge": "none" } });
  expect([refused.status, await refused.json()]).toEqual([402, { error: "Show your badge." }]);
  expect(seen).toEqual(["POST /agents/threads"]);
});

test("the app's hooks after a response see the path that the client has sent", async () => {
  answered.length = 0;
  await fetch(`${url}/agents/threads`, { method: "POST", body: "{}" });
  await eventually(() => answered).toEqual(["POST /agents/threads 200"]);
});

test("the service's own answers do not depend on the app's parsers, and its hooks do not reach the app's routes", async () => {
  const malformed = await fetch(`${url}/agents/threads`, { method: "POST", body: "{", headers: { "content-type": "text/plain" } });
  expect([malformed.status, await malformed.text()]).toEqual([400, expect.stringContaining("Malformed JSON")]);
  const page = { headers: { origin: "http://evil.test" } };
  expect((await fetch(`${url}/agents/info`, page)).status).toBe(403);
  expect((await fetch(`${url}/hello`, page)).status).toBe(200);
  const large = JSON.stringify({ metadata: { text: "x".repeat(2_000_000) } }); // larger than Fastify's own limit
  expect((await fetch(`${url}/agents/threads`, { method: "POST", body: large })).status).toBe(200);
});

test("HEAD, OPTIONS and the prefix itself are answered by the service", async () => {
  expect((await fetch(`${url}/agents/ok`, { method: "HEAD" })).status).toBe(200);
  const preflight = { method: "OPTIONS", headers: { origin: "http://localhost:5173", "access-control-request-method": "POST" } };
  const { headers, status } = await fetch(`${url}/agents/threads`, preflight);
  expect([status, headers.get("access-control-allow-origin")]).toEqual([204, "http://localhost:5173"]);
  const top = await fetch(`${url}/agents`, { headers: { accept: "text/html" }, redirect: "manual" });
  const isBuilt = existsSync("dist/console/index.html");
  expect([top.status, top.headers.get("location")]).toEqual(isBuilt ? [302, "/agents/console/"] : [404, null]);
  expect((await fetch(`${url}/agents/nothing-here`)).status).toBe(404);
});

test("the console and the API reference know the prefix", async () => {
  expect(await (await fetch(`${url}/agents/console/config.json`)).json()).toMatchObject({ mode: "on", prefix: "/agents" });
  expect((await fetch(`${url}/agents/docs`)).status).toBe(200);
});

test("a client that leaves its stream does not keep the stream open", async () => {
  const { thread_id } = await client.threads.create();
  const leaving = new AbortController();
  const stream = await fetch(`${url}/agents/threads/${thread_id}/runs/stream`, {
    method: "POST",
    body: JSON.stringify({ assistant_id: "slow", input: { until: 1_000 }, on_disconnect: "cancel" }),
    signal: leaving.signal,
  });
  const reader = stream.body!.getReader();
  await reader.read();
  leaving.abort();
  await eventually(async () => (await client.runs.list(thread_id))[0]?.status).toBe("interrupted");
});

test("a webhook that is a path reaches the service through the app", async () => {
  seen.length = 0;
  await client.runs.wait(null, "steps", { input: {}, webhook: "/threads" });
  await eventually(() => seen.filter((line) => line === "POST /agents/threads").length).toBe(1);
});

test("injected requests reach the service without a network", async () => {
  const response = await app.inject({ method: "POST", url: "/agents/runs/wait", payload: { assistant_id: "steps", input: {} } });
  expect([response.statusCode, response.json()]).toEqual([200, expect.objectContaining({ last: "three" })]);
});

test("a second mounted service in the same process is refused, and the first one continues", async () => {
  const second = Fastify();
  const config = configOf(await createDatabase());
  await expect(second.register(ensemble, { prefix: "/other", config })).rejects.toThrow('already runs in this process, at "/agents"');
  await second.close();
  expect(await client.runs.wait(null, "steps", { input: {} })).toMatchObject({ last: "three" });
});

test("a prefix with parameters cannot be mounted", async () => {
  const named = Fastify();
  await expect(named.register(ensemble, { prefix: "/:tenant" })).rejects.toThrow('The prefix "/:tenant" of Ensemble is not a path');
  await named.close();
});
