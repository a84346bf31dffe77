import { once } from "node:events";
import { Agent, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { serverFactory } from "../../src/http/front/server.ts";
import { startService } from "../../src/main.ts";
import { readProject } from "../../src/registry/project.ts";
import { makeProject, runCommand, until } from "../command.ts";
import { createDatabase } from "../database.ts";
import { clientFor, startTestService } from "../service.ts";
import { readFrames } from "../sse.ts";

const graphs = Object.fromEntries(["mirror", "slow", "burst", "fails"].map((id) => [id, `${resolve("test/graphs", id)}.ts:graph`]));
const front = resolve("test/graphs/front.ts");

/** Starts a service with these `http` options in its project file. */
async function startWith(http: object, env: Record<string, string> = {}) {
  const project = await makeProject({ "langgraph.json": { graphs, http } });
  return startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json`, ...env });
}

const { client, fetch, urls } = await startWith({ app: `${front}:app`, cors: { allow_origins: ["https://a.example"] } });
const handled = await startWith({ app: `${front}:handler`, mount_prefix: "/api/", disable_meta: true }, { ENSEMBLE_BODY_LIMIT_MB: "1" });
const headersPicked = await startWith({
  configurable_headers: { includes: ["x-*", "*_id", "tenant", "*", "x-auth-user"], excludes: ["x-hidden-*"] },
  disable_webhooks: true,
});

const bodyOf = (response: Response) => response.json() as Promise<Record<string, unknown>>;

test("middleware stands around the built-in routes: it sees the answer, and may answer itself", async () => {
  const info = await fetch("/info");
  expect(info.headers.get("x-js-middleware")).toBe("true");
  expect(await info.json()).toMatchObject({ context: "js" });
  const stopped = await fetch("/info?interrupt");
  expect([stopped.status, await stopped.text()]).toEqual([418, "interrupted"]);
});

test("what middleware changes in the document, the run is made with", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = (change: string, body: string) =>
    fetch(`/threads/${threadId}/runs/wait`, { method: "POST", headers: { "x-change": change }, body });
  const asked = JSON.stringify({ assistant_id: "mirror", input: { anything: "as sent" } });
  expect(await bodyOf(await run("body", asked))).toMatchObject({ anything: "as sent, changed" });
  expect(await bodyOf(await run("look", asked))).toMatchObject({ anything: "as sent" });
  expect(await bodyOf(await run("nothing", asked))).toMatchObject({ anything: "as sent" });
  const malformed = await run("body", "{");
  expect(malformed.status).toBe(500); // the middleware itself fails on the malformed body
  expect([(await run("look", "{")).status, (await run("steal", asked)).status]).toEqual([400, 500]);
});

test("everything that is no route of the app's is ours to answer, its own notFound is not asked", async () => {
  const unknown = await fetch("/no/such/path");
  expect([unknown.status, await unknown.text()]).toEqual([404, expect.stringContaining("there is no GET /no/such/path")]);
  expect((await fetch("/docs/static/index.html")).status).toBe(200);
  expect((await fetch("/info", { method: "HEAD" })).status).toBe(200);
  const missing = await client.threads.get("00000000-0000-0000-0000-000000000000").catch(String);
  expect(missing).toContain("HTTP 404: Thread with ID 00000000-0000-0000-0000-000000000000 not found");
});

test("a route of the app's calls the API through a client that has no address", async () => {
  expect(await bodyOf(await fetch("/custom/client"))).toMatchObject([{ graph_id: "mirror" }]);
  expect(await bodyOf(await fetch("/custom/stream"))).toEqual(["metadata", "values"]);
});

test("a graph calls the server that runs it in the same way, from a worker of its own too, and logs with the service", async () => {
  const project = await makeProject({ "langgraph.json": { graphs: { ...graphs, calling: `${front}:calling` } } });
  const lines: string[] = [];
  const log = pino({ level: "warn" }, { write: (line) => void lines.push(line) });
  const settings = { ENSEMBLE_CONFIG: `${project}/langgraph.json`, DATABASE_URL: await createDatabase(), PORT: "0" };
  const start = async (env: Record<string, string>) => {
    const service = await startService(readConfig({ ...settings, ...env }), log);
    onTestFinished(service.stop);
    return service;
  };
  const { url = "" } = await start({ ENSEMBLE_ROLE: "api" });
  await start({ ENSEMBLE_ROLE: "worker", ENSEMBLE_URL: url });
  const answered = await clientFor([url]).client.runs.wait(null, "calling", { input: {} });
  expect(answered).toMatchObject({ answer: { anything: "asked by a graph" } });
  const said = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === "calling");
  expect(said).toMatchObject({ whom: "mirror", run_id: expect.any(String), attempt: 1 });
});

test("what is lent to graphs is taken back, so that a service of later is found", async () => {
  const key = Symbol.for("langgraph_api:fetch");
  const before = Reflect.get(globalThis, key);
  const project = await makeProject({ "langgraph.json": { graphs } });
  const env = { ENSEMBLE_CONFIG: `${project}/langgraph.json`, DATABASE_URL: await createDatabase(), PORT: "0" };
  const service = await startService(readConfig(env), pino({ level: "silent" }));
  const lent = Reflect.get(globalThis, key);
  expect((await lent("/ok")).status).toBe(200);
  await service.stop();
  expect(Reflect.get(globalThis, key)).toBe(before);
  await expect(lent("/ok")).rejects.toThrow("The service has stopped.");
});

test("the UI components of graphs are bundled and loaded through /ui", async () => {
  const component = "export default { chart: ({ title }: { title: string }) => <div>{title}</div> };";
  const project = await makeProject({
    "langgraph.json": { graphs, http: { mount_prefix: "/api" }, ui: { "my-agent": "./ui.tsx" }, ui_config: { shared: ["d3"] } },
    "ui.tsx": `import * as d3 from "d3"; console.log(d3); ${component}`,
  });
  const { fetch, urls } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
  const ask = (graphId: string, name: string) => fetch(`/ui/${graphId}`, { method: "POST", body: JSON.stringify({ name }) });
  const html = await (await ask("my-agent", "it's")).text();
  const [, src, onload] = /^<script src="(.*?)" onload='(.*?)'><\/script>$/.exec(html) ?? [];
  expect(src).toBe(`${urls[0]}/ui/my-agent/entrypoint.js`);
  expect(onload).toBe('__LGUI_my_agent.render("it&#39;s", "{{shadowRootId}}")');
  const script = await globalThis.fetch(src ?? "");
  expect(script.headers.get("content-type")).toContain("text/javascript");
  expect(await script.text()).toContain("var __LGUI_my_agent");
  const unknown = await ask("other", "chart");
  expect([unknown.status, await unknown.text()]).toEqual([404, 'UI not found for agent "other"']);
});

test("a webhook that is a path reaches a route of the app's", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "mirror", { input: {}, webhook: "/custom/hook" });
  const heard = async () => (await fetch("/custom/heard")).json() as Promise<object[]>;
  await until(async () => (await heard()).length > 0);
  expect(await heard()).toMatchObject([{ run_id: run.run_id, status: "success" }]);
});

test("what the app throws is answered 500, or as it says, and the service goes on", async () => {
  const failed = await fetch("/custom/fails");
  expect([failed.status, await failed.text()]).toEqual([500, "Internal Server Error"]);
  const refused = await fetch("/custom/refuses");
  expect([refused.status, await refused.text()]).toEqual([402, "pay first"]);
  await expect(fetch("/custom/breaks").then((response) => response.text())).rejects.toThrow();
  expect((await fetch("/ok")).status).toBe(200);
});

test("events pass through as they come", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "slow", { input: { until: 100_000, tickMs: 20 }, config: { recursion_limit: 1_000_000 } });
  const response = await fetch(`/threads/${threadId}/runs/${run.run_id}/stream`);
  expect(response.headers.get("x-js-middleware")).toBe("true");
  const frames = readFrames(response);
  for (let n = 0; n < 5; n++) expect((await frames.next()).value).toContain("event: "); // while the run is open
  await client.runs.cancel(threadId, run.run_id, true);
  for await (const frame of frames) expect(frame).not.toContain("event: error");
});

test("a client that leaves is noticed, so that its run is cancelled", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const leaving = new AbortController();
  const stream = client.runs.stream(threadId, "slow", {
    input: { until: 100_000, tickMs: 20 },
    config: { recursion_limit: 1_000_000 },
    onDisconnect: "cancel",
    signal: leaving.signal,
  });
  for await (const { event } of stream) {
    if (event !== "values") continue;
    leaving.abort();
    break;
  }
  await until(async () => (await client.runs.list(threadId))[0]?.status === "interrupted");
});

test("a client that reads slowly gets everything in order", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "burst", { input: { events: 1_000, size: 5_000 }, streamMode: ["custom"] });
  await client.runs.join(threadId, run.run_id);
  const { hostname, port, host } = new URL(urls[0] ?? "");
  const socket = connect(Number(port), hostname);
  socket.write(`GET /threads/${threadId}/runs/${run.run_id}/stream HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  let got = "";
  socket.on("data", (chunk) => {
    got += chunk;
    socket.pause();
    setTimeout(() => socket.resume(), 1);
    if (got.includes("\nid: 1000\n")) socket.destroy();
  });
  await once(socket, "close");
  expect([...got.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))).toEqual(Array.from({ length: 1_001 }, (_, id) => id));
});

test("a body that the app did not read does not hold up the next request on its line", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = async (method: string, path: string, body?: string) => {
    const call = request(`${urls[0]}${path}`, { agent, method }).end(body);
    const [response] = await once(call, "response", { signal: AbortSignal.timeout(60_000) });
    return [response.statusCode, call.reusedSocket, await text(response)];
  };
  expect(await ask("POST", "/info?interrupt", "x".repeat(300_000))).toEqual([418, false, "interrupted"]);
  expect(await ask("POST", "/custom/peek", "x".repeat(3_000_000))).toEqual([200, true, "peeked"]);
  expect(await ask("GET", "/ok")).toEqual([200, true, '{"ok":true}']);
  agent.destroy();
});

test("an upgrade goes past the app to our own server, without the prefix", async () => {
  const app = { handler: () => new Response("the app") };
  const log = pino({ level: "silent" });
  const open = { auth: undefined, ui: undefined, gate: () => undefined, corsHeaders: () => ({}) };
  const front = { ...open, admission: "first" as const, admitted: new WeakMap(), bodyLimitBytes: 1, log };
  const server = serverFactory({ prefix: "/api", app, front })((_request, reply) => void reply.writeHead(404).end(), {}) as Server;
  server.on("upgrade", ({ url }, socket) => socket.end(`HTTP/1.1 101 Switching Protocols\r\n\r\n${url}`));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const ask = async (path: string, headers: string) => {
    const socket = connect(port, "127.0.0.1");
    socket.write(`GET ${path} HTTP/1.1\r\nhost: h\r\n${headers}\r\n\r\n`);
    return text(socket);
  };
  const upgrade = "connection: upgrade\r\nupgrade: websocket";
  expect(await ask("/api/threads/t/stream/events?a=1", upgrade)).toMatch(/ 101 .*\/threads\/t\/stream\/events\?a=1$/s);
  expect(await ask("/threads/t/stream/events", upgrade)).toMatch(/\n\/$/);
  expect(await ask("/api/threads", `${upgrade}\r\nconnection: close`)).toContain("the app"); // for a path without a WebSocket
  expect(await ask("/api/threads", "connection: close")).toContain("the app");
  server.close();
});

describe("with auth", () => {
  /** An auth that knows one key, and counts how often it is called. */
  const auth = `
    import { Auth, HTTPException } from "@langchain/langgraph-sdk/auth";
    let asked = 0;
    export const auth = new Auth().authenticate((request) => {
      const key = request.headers.get("x-key");
      if (key !== "good") throw new HTTPException(401, { message: "who are you?", headers: { "www-authenticate": "Key" } });
      return { identity: "ann", permissions: ["p"], asked: ++asked };
    });`;
  async function startGuarded(http: object) {
    const project = await makeProject({
      "auth.mjs": auth,
      "langgraph.json": { graphs, auth: { path: "./auth.mjs:auth" }, http: { app: `${front}:app`, ...http } },
    });
    const { fetch } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
    const statusOf = async (path: string, key: string) => {
      const response = await fetch(path, { headers: { "x-key": key } });
      await response.body?.cancel();
      return response.status;
    };
    return { fetch, statusOf };
  }

  test("the app's routes and middleware require authentication, which runs once a request", async () => {
    const { fetch, statusOf } = await startGuarded({});
    const refused = await fetch("/custom/who");
    expect([refused.status, await refused.text(), refused.headers.get("www-authenticate")]).toEqual([401, "who are you?", "Key"]);
    const asJson = await fetch("/custom/who", { headers: { accept: "application/json" } });
    expect([asJson.status, await asJson.json()]).toEqual([401, { detail: "who are you?" }]);
    const preflight = await fetch("/custom/all", { method: "OPTIONS" });
    expect([preflight.status, await preflight.text()]).toEqual([204, ""]);
    const who = await fetch("/custom/who", { headers: { "x-key": "good" } });
    expect(await who.json()).toEqual({ user: expect.objectContaining({ identity: "ann", asked: 1 }), scopes: ["p"] });
    const body = JSON.stringify({ assistant_id: "mirror", input: {} });
    const run = await fetch("/runs/wait", { method: "POST", headers: { "x-key": "good" }, body });
    expect(await run.json()).toMatchObject({ seen: { configurable: { langgraph_auth_user: { identity: "ann", asked: 2 } } } });
    expect(await Promise.all(["/ok", "/threads/x", "/no/route", "/info"].map((path) => statusOf(path, "bad")))).toEqual([
      401, 401, 401, 200,
    ]);
  });

  test("middleware may come before the question, the app's routes after it", async () => {
    const { statusOf } = await startGuarded({ middleware_order: "middleware_first" });
    expect(await Promise.all(["/info?interrupt", "/custom/who", "/ok"].map((path) => statusOf(path, "bad")))).toEqual([418, 401, 401]);
    expect(await Promise.all(["/custom/who", "/ok"].map((path) => statusOf(path, "good")))).toEqual([200, 200]);
  });

  test("the app's routes can be for everybody", async () => {
    const { statusOf } = await startGuarded({ enable_custom_route_auth: false });
    expect(await Promise.all(["/custom/who", "/ok"].map((path) => statusOf(path, "bad")))).toEqual([200, 401]);
  });
});

test("a browser may read the app's answers where it may read ours", async () => {
  const from = (origin: string, path: string) =>
    fetch(path, { headers: { origin } }).then(({ headers }) => headers.get("access-control-allow-origin"));
  expect(await Promise.all(["/custom/heard", "/ok"].map((path) => from("https://a.example", path)))).toEqual(
    Array(2).fill("https://a.example"),
  );
  expect(await from("https://b.example", "/custom/heard")).toBeNull();
  const preflight = await fetch("/custom/hook", {
    method: "OPTIONS",
    headers: { origin: "https://a.example", "access-control-request-method": "POST" },
  });
  expect(preflight.headers.get("access-control-allow-origin")).toBe("https://a.example");
});

test("an app that is a function is asked first, and its 404 is asked of us, with the body that both have read", async () => {
  const echo = await handled.fetch("/custom/echo", { method: "POST", body: "hello" });
  expect([await echo.text(), echo.headers.get("x-by")]).toEqual(["hello", "handler"]);
  expect(await handled.client.runs.wait(null, "mirror", { input: { anything: "passed on" } })).toMatchObject({ anything: "passed on" });
  expect((await handled.fetch("/custom/nothing")).status).toBe(500);
  const long = await handled.fetch("/runs/wait", { method: "POST", body: "x".repeat(2_000_000) });
  expect(long.status).toBe(413);
});

test("below a prefix is everything, and nothing beside it but the health check", async () => {
  const { origin, pathname } = new URL(handled.urls[0] ?? "");
  expect(pathname).toBe("/api");
  const statusOf = (path: string) => globalThis.fetch(`${origin}${path}`).then(({ status }) => status);
  expect(await Promise.all(["/ok", "/api/ok", "/threads", "/apian/ok", "/api"].map(statusOf))).toEqual([200, 200, 404, 404, 404]);
});

test("without its meta routes a service only says that it is there", async () => {
  const paths = ["/info", "/docs", "/openapi.json", "/metrics"];
  expect(await Promise.all(paths.map((path) => handled.fetch(path).then(({ status }) => status)))).toEqual([404, 404, 404, 404]);
});

test("our routes have no second name that middleware which guards a path would not know", async () => {
  const statusOf = (path: string) => fetch(path).then(({ status }) => status);
  const names = ["/info?interrupt", "/info/?interrupt", "//info?interrupt", "/%69nfo?interrupt", "/x/../info?interrupt"];
  expect(await Promise.all(names.map(statusOf))).toEqual([418, 404, 404, 418, 418]);
});

test("headers are in the log of requests as far as they are named", async () => {
  const http = { logging_headers: { includes: ["x-*", "host"], excludes: ["x-secret-*"] } };
  const project = await makeProject({ "langgraph.json": { graphs, http } });
  const lines: string[] = [];
  const env = { ENSEMBLE_CONFIG: `${project}/langgraph.json`, DATABASE_URL: await createDatabase(), PORT: "0" };
  const service = await startService(readConfig(env), pino({ level: "debug" }, { write: (line) => void lines.push(line) }));
  onTestFinished(service.stop);
  const headers = { "x-one": "1", "x-secret-two": "2", "x-auth-token": "3", authorization: "Bearer 4", other: "5" };
  await globalThis.fetch(`${service.url}/ok`, { headers });
  const said = lines.map((line) => JSON.parse(line)).find(({ req }) => req?.url === "/ok");
  expect(said?.req.headers).toEqual({ "x-one": "1", host: new URL(service.url ?? "").host });
});

test("a request that no web app could be told is refused, not let past the app", async () => {
  const { hostname, port } = new URL(urls[0] ?? "");
  const ask = async (line: string, host: string) => {
    const socket = connect(Number(port), hostname);
    socket.write(`${line} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    return (await text(socket)).slice(9, 12);
  };
  expect(await ask("GET /info?interrupt", "[")).toBe("400");
  expect(await ask("GET /info?interrupt", "a/b?")).toBe("400");
  expect(await ask("TRACE /info", "localhost")).toBe("400");
  expect(await ask("GET //info", "localhost")).toBe("404");
});

test("of its request a run sees the headers that are named, none that proves who asks, and none that means something else to us", async () => {
  const headers = {
    "x-user-id": "ann",
    "x-hidden-thing": "1",
    tenant: "t",
    thread_id: "smuggled",
    checkpoint_id: "smuggled",
    langgraph_auth_user: "smuggled",
    __pregel_read: "smuggled",
    "x-auth-user": "named in full",
    "x-auth-token": "matches x-*",
    authorization: "Bearer a",
    cookie: "a=b",
    "x-api-key": "k",
    "x-tenant-id": "t",
    "x-service-key": "k",
  };
  const body = JSON.stringify({ assistant_id: "mirror", input: {} });
  const { seen } = (await bodyOf(await headersPicked.fetch("/runs/wait", { method: "POST", headers, body }))) as {
    seen: { configurable: Record<string, unknown> };
  };
  expect(seen.configurable).toMatchObject({ "x-user-id": "ann", tenant: "t", "x-auth-user": "named in full" });
  expect(Object.keys(seen.configurable)).toEqual(expect.arrayContaining(["thread_id", "run_id"]));
  expect(Object.values(seen.configurable)).not.toContain("smuggled");
  const kept = ["x-hidden-thing", "x-auth-token", "authorization", "cookie", "x-api-key", "x-tenant-id", "x-service-key"];
  expect(Object.keys(seen.configurable).filter((name) => kept.includes(name))).toEqual([]);
});

test("without patterns a run sees what begins with x-, but nothing that looks like a proof", async () => {
  const headers = { "x-foo": "bar", "x-auth-token": "secret", "x-csrf-token": "secret", other: "no", "user-agent": "test" };
  const body = JSON.stringify({ assistant_id: "mirror", input: {} });
  const { seen } = (await bodyOf(await fetch("/runs/wait", { method: "POST", headers, body }))) as { seen: { configurable: object } };
  expect(seen.configurable).toMatchObject({ "x-foo": "bar", "user-agent": "test" });
  expect(Object.keys(seen.configurable).filter((name) => name in headers)).toEqual(["user-agent", "x-foo"]);
});

test("where webhooks are disabled a run is made without", async () => {
  const { thread_id: threadId } = await headersPicked.client.threads.create();
  const run = await headersPicked.client.runs.create(threadId, "mirror", { input: {}, webhook: "/custom/hook" });
  await headersPicked.client.runs.join(threadId, run.run_id);
  const cron = await headersPicked.client.crons.create("mirror", { schedule: "0 0 1 1 *", webhook: "/custom/hook" });
  expect(cron).toMatchObject({ payload: { webhook: null } });
  expect((await headersPicked.db.query("select count(*)::int as n from webhooks")).rows).toEqual([{ n: 0 }]);
});

test("an app that does not load stops the start with a sentence", async () => {
  const starting = async (app: string) => {
    const project = await makeProject({ "langgraph.json": { graphs, http: { app } }, "app.mjs": "export const five = 5;" });
    const config = readConfig({ ENSEMBLE_CONFIG: `${project}/langgraph.json`, DATABASE_URL: "postgresql://postgres@127.0.0.1:1/x" });
    return startService(config, pino({ level: "silent" })).then(String, String);
  };
  expect(await starting("./nowhere.ts:app")).toContain("http.app names");
  expect(await starting("./app.mjs:six")).toContain('has no export "six"; it exports five');
  expect(await starting("./app.mjs:five")).toContain("is not an app");
});

test("every key under http is read, or named", async () => {
  const http = {
    cors: { allow_all: true },
    disable_mcp: true,
    disable_a2a: false,
    mount_prefix: "/a",
    newer: 1,
    logging_headers: { some: [] },
  };
  const project = await makeProject({ "langgraph.json": { graphs, http, pip_installer: "uv", telemetry: { path: "./e.ts:e" } } });
  const { ignoredKeys } = await readProject(`${project}/langgraph.json`);
  expect(ignoredKeys).toEqual(["telemetry", "http.newer", "http.cors.allow_all", "http.logging_headers.some"]);
});

test("a container's health check finds a service with a prefix, and a service without its meta routes", async () => {
  const healthOf = async (url: string | undefined) => {
    const { hostname: HOST, port: PORT } = new URL(url ?? "");
    const { code, stdout } = await runCommand(["health"], { HOST, PORT });
    return [code, stdout.trim()];
  };
  const bare = await startWith({ disable_meta: true });
  const below = await startWith({ mount_prefix: "/api" });
  expect(await Promise.all([bare, below].map(({ urls: [url] }) => healthOf(url)))).toEqual(Array(2).fill([0, "ok"]));
});
