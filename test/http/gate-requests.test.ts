import http from "node:http";
import { text } from "node:stream/consumers";
import { Client } from "@langchain/langgraph-sdk";
import { describe, expect, test } from "vitest";
import WebSocket from "ws";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";

const graphs = { steps: `${import.meta.dirname}/../graphs/steps.ts:graph` };
const evil = "https://evil.example";

/** Starts a service with these `http` options and files. */
async function startWith(options: object, more: Record<string, string> = {}, env: Record<string, string> = {}) {
  const auth = "auth.ts" in more ? { auth: { path: "./auth.ts:auth" } } : {};
  const project = await makeProject({ ...more, "langgraph.json": { graphs, http: options, ...auth } });
  const service = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json`, ...env });
  return { ...service, ask: asker(service.urls[0] ?? "") };
}

interface Asked {
  method?: string;
  path?: string;
  body?: string;
}

/** Returns a function that sends a request with exactly these headers, which `fetch` cannot do. */
const asker =
  (url: string) =>
  async (headers: Record<string, string>, { method = "GET", path = "/info", body }: Asked = {}) => {
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    const call = http.request(url + path, { method, headers }, resolve).on("error", reject);
    call.end(body);
    const response = await promise;
    return { status: response.statusCode, headers: response.headers, text: await text(response) };
  };

/** Opens a WebSocket. Resolves to the status: 101, or the status of the refusal. */
function openSocket(url: string, headers: Record<string, string>): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const socket = new WebSocket(`${url.replace("http", "ws")}/threads/${crypto.randomUUID()}/stream/events`, { headers });
  socket.on("error", () => {});
  socket.on("unexpected-response", (_request, response) => {
    resolve(response.statusCode);
    socket.terminate();
  });
  socket.on("open", () => {
    resolve(101);
    socket.terminate();
  });
  return promise;
}

const makesRun = { method: "POST", path: "/runs", body: JSON.stringify({ assistant_id: "steps", input: {} }) };

describe("without auth", async () => {
  const { ask, urls, db, client } = await startWith({});
  const own = urls[0] ?? "";
  const { port } = new URL(own);

  test("a page of a foreign origin starts no run, with whatever content type, and reads nothing", async () => {
    for (const origin of [evil, "null"])
      for (const type of ["text/plain", "application/json"]) {
        const refused = await ask({ origin, "content-type": type }, makesRun);
        expect(refused).toMatchObject({ status: 403, text: expect.stringContaining(`"${origin}"`) });
        expect(refused.text).toContain("http.cors");
        expect(refused.headers).not.toHaveProperty("access-control-allow-origin");
      }
    expect((await db.query("select from runs")).rowCount).toBe(0);
    const preflight = await ask({ origin: evil, "access-control-request-method": "POST" }, { method: "OPTIONS", path: "/runs" });
    expect(preflight).toMatchObject({ status: 403 });
  });

  test("an unknown host name is refused, and the answer names the setting that allows it", async () => {
    const refused = await ask({ host: `evil.example:${port}` });
    expect(refused).toMatchObject({ status: 403, text: expect.stringContaining(`"evil.example:${port}"`) });
    expect(refused.text).toContain("ENSEMBLE_HOSTS");
    expect(await ask({ host: `evil.example:${port}`, origin: `http://evil.example:${port}` })).toMatchObject({ status: 403 });
    expect(await ask({ host: "evil.example", "x-forwarded-host": "localhost" })).toMatchObject({ status: 403 });
    expect(await ask({ host: "localhost", "x-forwarded-host": "evil.example" })).toMatchObject({ status: 200 });
  });

  test("a refusal is JSON if the client asks for JSON", async () => {
    const { text: body } = await ask({ origin: evil, accept: "application/json" });
    expect(JSON.parse(body)).toEqual({ detail: expect.stringContaining(evil) });
  });

  test("/ok and /metrics are answered under any host name", async () => {
    for (const path of ["/ok", "/metrics"]) expect(await ask({ host: "api", origin: evil }, { path })).toMatchObject({ status: 200 });
  });

  test("a page that hides its origin may only follow a link", async () => {
    const hidden = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" };
    expect(await ask(hidden)).toMatchObject({ status: 403, text: expect.stringContaining('"cross-site"') });
    const link = { ...hidden, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    expect(await ask(link, { path: "/docs" })).toMatchObject({ status: 200 });
    expect(await ask({ ...link, "sec-fetch-dest": "iframe" })).toMatchObject({ status: 403 });
  });

  test("sockets are opened to the same pages", async () => {
    expect(await openSocket(own, { origin: evil })).toBe(403);
    expect(await openSocket(own, { origin: "null" })).toBe(403);
    expect(await openSocket(own, { host: `evil.example:${port}` })).toBe(403);
    for (const origin of ["http://localhost:5173", own, "https://smith.langchain.com"]) expect(await openSocket(own, { origin })).toBe(101);
    expect(await openSocket(own, {})).toBe(101);
  });

  test("the SDK, pages of this machine, Agent Chat UI and Studio work without configuration", async () => {
    expect(await client.runs.wait(null, "steps", { input: {} })).toBeDefined();
    for (const origin of [
      "http://localhost:3000",
      "https://agentchat.vercel.app",
      "https://smith.langchain.com",
      "https://eu.smith.langchain.com",
    ]) {
      const preflight = await ask({ origin, "access-control-request-method": "POST" }, { method: "OPTIONS", path: "/runs" });
      expect(preflight).toMatchObject({ status: 204, headers: { "access-control-allow-origin": origin } });
      const answered = await ask({ origin, "content-type": "application/json" }, makesRun);
      expect(answered).toMatchObject({ status: 200, headers: { "access-control-allow-origin": origin } });
    }
    expect(await ask({ host: `localhost:${port}`, origin: `http://localhost:${port}` })).toMatchObject({ status: 200 });
  });

  test("a graph's own client is answered inside the process, whatever Host and Origin it sends", async () => {
    const relay = await makeProject({
      "langgraph.json": { graphs, http: { app: "./app.ts:app" } },
      "app.ts": `
import { Client } from "@langchain/langgraph-sdk";
import { Hono } from "hono";
const client = new Client({ defaultHeaders: { host: "evil.example", origin: "${evil}" } });
export const app = new Hono();
app.get("/inside", async (c) => c.json(await client.assistants.search()));
`,
    });
    const { urls: relayed } = await startTestService({ ENSEMBLE_CONFIG: `${relay}/langgraph.json` });
    expect(await asker(relayed[0] ?? "")({}, { path: "/inside" })).toMatchObject({ status: 200 });
  });
});

describe("with names and origins that the operator set", async () => {
  const { ask, urls } = await startWith(
    { cors: { allow_origins: ["https://app.test"] } },
    {},
    { ENSEMBLE_HOSTS: "api *.internal.test", HOST: "127.0.0.1" },
  );

  test("these are let in, and the default origins no more", async () => {
    for (const host of ["api", "api:2024", "a.internal.test", "127.0.0.1", "[::1]:80", "192.168.1.5"])
      expect(await ask({ host })).toMatchObject({ status: 200 });
    expect(await ask({ host: "internal.test" })).toMatchObject({ status: 403 });
    expect(await ask({ origin: "https://app.test" })).toMatchObject({
      status: 200,
      headers: { "access-control-allow-origin": "https://app.test" },
    });
    expect(await ask({ origin: "https://smith.langchain.com" })).toMatchObject({ status: 403 });
    expect(await openSocket(urls[0] ?? "", { origin: "https://app.test" })).toBe(101);
  });
});

describe("where all origins are allowed on purpose", async () => {
  const { ask, urls } = await startWith({ cors: { allow_origins: ["*"] } });

  test("a foreign page may do everything, but a text/plain body is not read as JSON", async () => {
    expect(await ask({ origin: evil, "content-type": "application/json" }, makesRun)).toMatchObject({ status: 200 });
    expect(await openSocket(urls[0] ?? "", { origin: evil })).toBe(101);
    for (const type of ["text/plain", "multipart/form-data", ""])
      expect(await ask({ origin: evil, ...(type && { "content-type": type }) }, makesRun)).toMatchObject({
        status: 415,
        text: expect.stringContaining("application/json"),
      });
    expect(await ask({ "content-type": "text/plain" }, makesRun)).toMatchObject({ status: 200 });
  });
});

describe("in front of the API", async () => {
  const app = `
import { Hono } from "hono";
export const app = new Hono();
app.all("/mine", (c) => c.text("mine"));
`;
  const { ask } = await startWith({ app: "./app.ts:app", mount_prefix: "/api" }, { "app.ts": app });

  test("the project's own app is behind the same gate", async () => {
    const path = "/mine";
    expect(await ask({}, { path })).toMatchObject({ status: 200, text: "mine" });
    expect(await ask({ origin: evil }, { path })).toMatchObject({ status: 403, text: expect.stringContaining(evil) });
    expect(await ask({ origin: evil }, { path, method: "OPTIONS" })).toMatchObject({ status: 403 });
    expect(await ask({ host: "evil.example" }, { path })).toMatchObject({ status: 403 });
  });
});

describe("with auth", async () => {
  const auth = `
import { Auth, HTTPException } from "@langchain/langgraph-sdk/auth";
export const auth = new Auth().authenticate(async (request) => {
  const name = request.headers.get("x-user") ?? /user=(\\w+)/.exec(request.headers.get("cookie") ?? "")?.[1];
  if (!name) throw new HTTPException(401, { message: "Who are you?" });
  return name;
});
`;
  const { ask, urls } = await startWith({}, { "auth.ts": auth });
  const { ask: askNamed } = await startWith({ cors: { allow_origins: ["https://app.test"] } }, { "auth.ts": auth });
  const path = "/assistants/search";
  const search = { method: "POST", path, body: "{}" };

  test("a deployed front end that sends its credentials in headers works from any origin and under any name", async () => {
    const headers = { "x-user": "ann", "content-type": "application/json", host: "api.deployed.test", origin: "https://front.test" };
    expect(await ask(headers, search)).toMatchObject({ status: 200, headers: { "access-control-allow-origin": "*" } });
    expect(await openSocket(urls[0] ?? "", { "x-user": "ann", origin: "https://front.test" })).toBe(101);
  });

  test("a foreign page does not act as whom the cookie names", async () => {
    const headers = { cookie: "user=ann", "content-type": "application/json" };
    expect(await ask(headers, search)).toMatchObject({ status: 200 });
    expect(await ask({ ...headers, origin: evil }, search)).toMatchObject({ status: 403 });
    expect(await ask({ cookie: "user=ann", "sec-fetch-site": "cross-site" }, { path: "/ok" })).toMatchObject({ status: 200 });
    expect(await ask({ cookie: "user=ann", "sec-fetch-site": "cross-site" }, { path: "/threads/x/state" })).toMatchObject({ status: 403 });
    expect(await openSocket(urls[0] ?? "", { cookie: "user=ann", origin: evil })).toBe(403);
    expect(await askNamed({ ...headers, origin: "https://app.test" }, search)).toMatchObject({ status: 200 });
  });

  test("Studio's header is accepted only from Studio's origin, and only where that origin is allowed", async () => {
    const studio = { "x-auth-scheme": "langsmith", "content-type": "application/json" };
    expect(await ask({ ...studio, origin: "https://smith.langchain.com" }, search)).toMatchObject({ status: 200 });
    for (const origin of [evil, "http://localhost:3000", urls[0] ?? "", undefined])
      expect(await ask({ ...studio, ...(origin && { origin }) }, search)).toMatchObject({ status: 401 });
    for (const origin of ["https://smith.langchain.com", "https://app.test"])
      expect(await askNamed({ ...studio, origin }, search)).toMatchObject({ status: 401 });
  });
});

test("the SDK works through a name that the operator set", async () => {
  const { urls } = await startTestService({ ENSEMBLE_HOSTS: "api.test" });
  const { port } = new URL(urls[0] ?? "");
  const client = new Client({ apiUrl: `http://localhost:${port}`, apiKey: null, callerOptions: { maxRetries: 0 } });
  expect(await client.assistants.search()).not.toHaveLength(0);
});
