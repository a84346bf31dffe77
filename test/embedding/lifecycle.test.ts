import { resolve } from "node:path";
import cors from "@fastify/cors";
import Fastify from "fastify";
import { pino } from "pino";
import { expect, test } from "vitest";
import { ensemble } from "../../src/index.ts";
import { afterFile } from "../after-file.ts";
import { makeProject } from "../command.ts";
import { createDatabase } from "../database.ts";
import { eventually } from "../sse.ts";
import { configOf, startHost } from "./host.ts";

const log = pino({ level: "silent" });

test("threads and open runs survive a restart of the app", async () => {
  const databaseUrl = await createDatabase();
  const first = await startHost(databaseUrl);
  const { thread_id } = await first.client.threads.create();
  await first.client.runs.wait(thread_id, "review", { input: { topic: "rivers" } });
  const slow = await first.client.threads.create();
  const run = await first.client.runs.create(slow.thread_id, "slow", { input: { until: 20, tickMs: 100 } });
  await eventually(async () => (await first.client.threads.getState<{ ticks?: number }>(slow.thread_id)).values.ticks ?? 0).toBeGreaterThan(
    0,
  );
  await first.app.close();

  const second = await startHost(databaseUrl);
  const done = await second.client.runs.wait(thread_id, "review", { command: { resume: { approved: true } } });
  expect(done).toMatchObject({ published: "On rivers" });
  expect(await second.client.runs.join(slow.thread_id, run.run_id)).toMatchObject({ ticks: 20 });
  await second.app.close();
});

test("closing the app cuts its streams, so that clients reconnect, and waits for no client", async () => {
  const { app, url, client } = await startHost(await createDatabase());
  const { thread_id } = await client.threads.create();
  const body = JSON.stringify({ assistant_id: "slow", input: { until: 1_000 } });
  const stream = await fetch(`${url}/agents/threads/${thread_id}/runs/stream`, { method: "POST", body });
  const reader = stream.body!.getReader();
  await reader.read();
  const readToEnd = async () => {
    while (!(await reader.read()).done);
  };
  const [cut] = await Promise.allSettled([readToEnd(), app.close()]);
  expect(cut).toMatchObject({ status: "rejected" }); // a clean end would tell the SDK that the run is over
  await expect(fetch(`${url}/hello`)).rejects.toThrow();
});

test("closing the app restores the environment and frees the process for another app", async () => {
  const databaseUrl = await createDatabase();
  const before = process.env.ENSEMBLE_URL;
  const { app, url } = await startHost(databaseUrl);
  expect(process.env.ENSEMBLE_URL).toBe(`${url}/agents`);
  await app.close();
  expect(process.env.ENSEMBLE_URL).toBe(before);
  await (await startHost(databaseUrl)).app.close();
});

test("a start that fails makes the app fail, and another start is possible", async () => {
  const app = Fastify();
  const config = configOf("postgresql://nobody@127.0.0.1:1/none", { ENSEMBLE_DATABASE_WAIT_SECS: "0" });
  await expect(app.register(ensemble, { prefix: "/agents", config, log })).rejects.toThrow("127.0.0.1:1");
  await app.close();
  await (await startHost(await createDatabase())).app.close();
});

test("a start that takes longer than Fastify waits for a plugin names the setting", async () => {
  const app = Fastify({ pluginTimeout: 1_000 });
  const config = configOf("postgresql://nobody@127.0.0.1:1/none"); // waits for a minute
  await expect(app.register(ensemble, { prefix: "/agents", config, log })).rejects.toThrow("Fastify({ pluginTimeout: 120_000 })");
  await app.close();
});

test("if another plugin fails, closing the app stops the service", async () => {
  const databaseUrl = await createDatabase(); // its end fails if a connection is still open
  const app = Fastify();
  await app.register(ensemble, { prefix: "/agents", config: configOf(databaseUrl), log });
  app.register(async () => {
    throw new Error("not today");
  });
  await expect(app.ready()).rejects.toThrow("not today");
  await app.close();
});

test("a process with the role worker has nothing to mount", async () => {
  const app = Fastify();
  const config = configOf(await createDatabase(), { ENSEMBLE_ROLE: "worker" });
  await expect(app.register(ensemble, { config, log })).rejects.toThrow("ENSEMBLE_ROLE=worker has no API");
  await app.close();
});

test("without a prefix, the app's own routes come first, and the service answers all others", async () => {
  const app = Fastify();
  afterFile(() => app.close());
  app.get("/threads/hello", async () => "mine");
  await app.register(ensemble, { config: configOf(await createDatabase()), log });
  expect((await app.inject("/threads/hello")).body).toBe("mine");
  expect((await app.inject({ method: "POST", url: "/threads", payload: {} })).json()).toHaveProperty("thread_id");
  await app.close();
});

test("a nested prefix, the project's own prefix and the project's own routes follow each other", async () => {
  const project = await makeProject({
    "langgraph.json": {
      graphs: { mirror: `${resolve("test/graphs/mirror.ts")}:graph` },
      http: { app: `${resolve("test/graphs/front.ts")}:app`, mount_prefix: "/api" },
    },
  });
  const app = Fastify();
  const posted: string[] = [];
  app.addHook("onRequest", async ({ method, url }) => void (method === "POST" && posted.push(url)));
  const config = configOf(await createDatabase(), { ENSEMBLE_CONFIG: `${project}/langgraph.json` });
  await app.register(async (inner) => inner.register(ensemble, { prefix: "/agents", config, log }), { prefix: "/v1" });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const url = `${app.listeningOrigin}/v1/agents`;
  expect(process.env.ENSEMBLE_URL).toBe(`${url}/api`);
  await fetch(`${url}/api/runs/wait`, { method: "POST", body: JSON.stringify({ assistant_id: "mirror", input: {}, webhook: "/hook" }) });
  await eventually(() => posted).toContain("/v1/agents/api/hook");
  expect(await (await fetch(`${url}/api/custom/client`)).json()).toMatchObject([{ graph_id: "mirror" }]);
  expect((await fetch(`${url}/api/info`)).headers.get("x-js-middleware")).toBe("true");
  const missing = await fetch(`${url}/threads`, { method: "POST", body: "{}" });
  expect([missing.status, await missing.text()]).toEqual([404, "404 Not Found: everything here is below /v1/agents/api."]);
  await app.close();
});

test("LangSmith Studio's header is no credential, because other machines may reach the app", async () => {
  const { app, url } = await startHost(await createDatabase(), {
    env: { ENSEMBLE_CONFIG: resolve("test/graphs/with-auth/langgraph.json") },
  });
  const studio = { "x-auth-scheme": "langsmith", origin: "https://smith.langchain.com" };
  expect((await fetch(`${url}/agents/threads/search`, { method: "POST", headers: studio, body: "{}" })).status).toBe(401);
  await app.close();
});

test("without auth, the console is off if the operator lets others in", async () => {
  const { app, url } = await startHost(await createDatabase(), { env: { ENSEMBLE_AUTH: "none" } });
  expect((await fetch(`${url}/agents/console/`)).status).toBe(404);
  await app.close();
});

test("the app's CORS plugin answers preflights, and the service decides about the requests", async () => {
  const { app, url } = await startHost(await createDatabase(), {
    env: { ENSEMBLE_API_KEYS: `me:${"a".repeat(64)}` },
    before: (app) => app.register(cors, { origin: "https://app.test" }),
  });
  const headers = { origin: "https://app.test", "access-control-request-method": "POST" };
  const preflight = await fetch(`${url}/agents/threads`, { method: "OPTIONS", headers });
  expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([204, "https://app.test"]);
  const { status } = await fetch(`${url}/agents/threads`, { method: "POST", body: "{}", headers: { "content-type": "application/json" } });
  expect(status).toBe(401);
  await app.close();
});
