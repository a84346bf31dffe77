import { resolve } from "node:path";
import { expect, test } from "vitest";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";

/** Starts a service with these `http` options in its project file. */
async function startWith(http: object) {
  const project = await makeProject({ "langgraph.json": { graphs: { steps: `${resolve("test/graphs/steps.ts")}:graph` }, http } });
  return startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
}

const one = "00000000-0000-7000-8000-000000000000";
/** A request to each part of the API, and its status while that part is enabled. */
const parts = {
  disable_assistants: ["GET", "/assistants/steps", 200],
  disable_threads: ["POST", "/threads", 200],
  disable_runs: ["POST", "/runs/wait", 200],
  disable_store: ["POST", "/store/namespaces", 200],
  disable_meta: ["GET", "/info", 200],
  disable_a2a: ["POST", "/a2a/steps", 200],
} as const;
const bodies: Record<string, object> = {
  "/runs/wait": { assistant_id: "steps", input: {} },
  "/threads": {},
  "/store/namespaces": {},
  "/a2a/steps": { jsonrpc: "2.0", id: 1, method: "ListTasks", params: {} },
};

test.each(Object.keys(parts))("http.%s takes one part of the API away, and no other", async (disabled) => {
  const { fetch } = await startWith({ [disabled]: true });
  for (const [name, [method, path, status]] of Object.entries(parts)) {
    const body = bodies[path] && JSON.stringify(bodies[path]);
    const response = await fetch(path, { method, ...(body && { body }) });
    expect([name, response.status]).toEqual([name, name === disabled ? 404 : status]);
  }
  expect((await fetch("/ok")).status).toBe(200); // health checks still work
});

test("http.disable_runs takes event streaming and crons with it, http.disable_threads the state", async () => {
  const [withoutRuns, withoutThreads] = [await startWith({ disable_runs: true }), await startWith({ disable_threads: true })];
  const send = async ({ fetch }: typeof withoutRuns, path: string) => (await fetch(path, { method: "POST", body: "{}" })).status;
  const ofRuns = [`/threads/${one}/commands`, `/threads/${one}/stream/events`, "/runs/crons/search", `/threads/${one}/runs`];
  for (const path of ofRuns) expect([path, await send(withoutRuns, path)]).toEqual([path, 404]);
  for (const path of [`/threads/${one}/history`, "/threads/search"]) expect([path, await send(withoutThreads, path)]).toEqual([path, 404]);
  expect((await withoutThreads.client.runs.wait(null, "steps", { input: {} })) as object).toMatchObject({ last: "three" });
});

test("http.cors says what pages may do, what they may send and read, and how long they may remember that", async () => {
  const { fetch } = await startWith({
    cors: {
      allow_origins: ["https://named.test"],
      allow_origin_regex: "^https://[a-z]+\\.app\\.test$",
      allow_methods: ["GET", "POST"],
      allow_headers: ["content-type", "x-mine"],
      allow_credentials: true,
      expose_headers: ["x-shown"],
      max_age: 600,
    },
  });
  const corsOf = async (origin: string, init: RequestInit = {}) => {
    const { headers } = await fetch("/threads", { ...init, headers: { origin, "access-control-request-method": "POST" } });
    return Object.fromEntries([...headers].filter(([name]) => name.startsWith("access-control-")));
  };
  const preflight = { method: "OPTIONS" };
  expect(await corsOf("https://one.app.test", preflight)).toMatchObject({
    "access-control-allow-origin": "https://one.app.test",
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "content-type, x-mine",
    "access-control-allow-credentials": "true",
    "access-control-max-age": "600",
  });
  const answered = await corsOf("https://named.test", { method: "POST", body: "{}" });
  expect(answered).toMatchObject({ "access-control-allow-origin": "https://named.test", "access-control-allow-credentials": "true" });
  expect(answered["access-control-expose-headers"]?.split(", ")).toEqual(
    expect.arrayContaining(["x-shown", "content-location", "x-pagination-total"]),
  );
  for (const origin of ["https://app.test", "https://one.app.test.elsewhere", "https://named.test:444"])
    expect(await corsOf(origin, preflight)).not.toHaveProperty("access-control-allow-origin");
});

test("http.disable_a2a takes the agent cards too, and a card below http.mount_prefix names the prefix", async () => {
  const card = "/.well-known/agent-card.json?assistant_id=steps";
  expect((await (await startWith({ disable_a2a: true })).fetch(card)).status).toBe(404);
  const { fetch } = await startWith({ mount_prefix: "/agents" });
  const { url } = await (await fetch(card)).json();
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/agents\/a2a\/[\da-f-]{36}$/);
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ListTasks", params: {} });
  expect((await globalThis.fetch(url, { method: "POST", body })).status).toBe(200);
});
