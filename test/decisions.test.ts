import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { afterAll, expect, test } from "vitest";
import { makeProject, until } from "./command.ts";
import { endpoints } from "./endpoints.ts";
import { startTestService } from "./service.ts";
import { eventually } from "./sse.ts";

/** For which decisions the service held a transaction open while whoever decides took their time. */
const heldDuring: string[] = [];
/** What else happens meanwhile. */
let meanwhile: (event: string, value: Record<string, unknown>) => Promise<void> = async () => {};
const inTransaction = "select from pg_stat_activity where datname = current_database() and state = 'idle in transaction'";
const onlooker = createServer(async (request, response) => {
  const { url = "" } = request;
  const value = await json(request);
  const isHeld = async () => (await db.query(inTransaction)).rowCount !== 0;
  await until(async () => !(await isHeld()), 500).catch(() => heldDuring.push(url.slice(1)));
  await meanwhile(url.slice(1), value as Record<string, unknown>);
  response.end();
});
await new Promise<void>((resolve) => onlooker.listen(0, "127.0.0.1", resolve));
afterAll(() => onlooker.close());
const onlookerUrl = `http://127.0.0.1:${(onlooker.address() as AddressInfo).port}`;

/** Everybody has their own things, and of what their token names also everybody else's. */
const auth = `
import { Auth, HTTPException } from "@langchain/langgraph-sdk/auth";
export const auth = new Auth()
  .authenticate(async (request) => {
    const [, identity, events = ""] = /^Bearer (\\w+)(?: (\\S+))?$/.exec(request.headers.get("authorization") ?? "") ?? [];
    if (!identity) throw new HTTPException(401);
    return { identity, permissions: events.split(",") };
  })
  .on("*", async ({ event, user, value }) => {
    if (user.identity === "watched") await fetch("${onlookerUrl}/" + event, { method: "POST", body: JSON.stringify(value) });
    if ("metadata" in value && /:(create|create_run|put)$/.test(event)) value.metadata = { ...value.metadata, owner: user.identity };
    return user.permissions.includes(event) || { owner: user.identity };
  });
`;
const graphs = Object.fromEntries(
  ["steps", "nested", "review", "slow"].map((name) => [name, `${import.meta.dirname}/graphs/${name}.ts:graph`]),
);
const project = await makeProject({ "auth.ts": auth, "langgraph.json": { graphs, auth: { path: "./auth.ts:auth" } } });
const { fetch, db } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });

interface Asked {
  method: string;
  path: string;
  body?: unknown;
}
type Things = Awaited<ReturnType<typeof makeThings>>;

interface Row {
  /** Of which decisions the caller's scope must hold somebody else's things for this to reach them: all of these, and no others. */
  needs: string[];
  body?: (things: Things) => unknown;
  search?: string;
  /** Whether it did, where a status of 200 does not say so. */
  reached?: (text: string, things: Things) => boolean | Promise<boolean>;
}

/** All that a handler can be asked. */
const everyEvent = Object.entries({
  assistants: ["create", "read", "update", "delete", "search"],
  threads: ["create", "read", "update", "delete", "search", "create_run"],
  crons: ["create", "read", "update", "delete", "search"],
  store: ["put", "get", "search", "delete", "list_namespaces"],
}).flatMap(([resource, actions]) => actions.map((action) => `${resource}:${action}`));

const call = (bearer: string, { method, path, body }: Asked, signal = AbortSignal.timeout(10_000)) =>
  fetch(path, {
    method,
    headers: { authorization: `Bearer ${bearer}`, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal,
  });

async function ask<Answer>(bearer: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await call(bearer, { method, path, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === "" ? undefined : JSON.parse(text)) as Answer;
}

const deadWebhook =
  "insert into webhooks (run_id, thread_id, url, run, status, settled_at) values ($1, $2, 'https://a.test/', '{}', 'dead', now())";

/** One of each kind, all of one owner. */
async function makeThings() {
  const mark = randomUUID();
  const owner = `owner_${mark.slice(0, 8)}`; // another one each time: nobody may have many crons
  const make = <Answer>(path: string, body?: unknown, method = "POST") => ask<Answer>(owner, method, path, body);
  const { assistant_id: assistantId } = await make<{ assistant_id: string }>("/assistants", { graph_id: "nested", metadata: { mark } });
  await make(`/assistants/${assistantId}`, { name: "second version" }, "PATCH");
  const newThread = async () => (await make<{ thread_id: string }>("/threads", { metadata: { mark } })).thread_id;
  const [threadId, askingId, busyId] = [await newThread(), await newThread(), await newThread()];
  await make(`/threads/${threadId}/runs/wait`, { assistant_id: assistantId, input: {} });
  const [run] = await make<{ run_id: string }[]>(`/threads/${threadId}/runs`, undefined, "GET");
  const { checkpoint } = await make<{ checkpoint: { checkpoint_id: string } }>(`/threads/${threadId}/state`, undefined, "GET");
  const later = { assistant_id: "steps", input: {}, after_seconds: 3_600 };
  const { run_id: waitingId } = await make<{ run_id: string }>(`/threads/${busyId}/runs`, later);
  await make(`/threads/${askingId}/runs/wait`, { assistant_id: "review", input: { topic: "rivers" } });
  const [question] = Object.values((await make<{ interrupts: object }>(`/threads/${askingId}`, undefined, "GET")).interrupts).flat();
  const cron = { assistant_id: assistantId, schedule: "0 0 1 1 *", input: {} };
  const { cron_id: cronId } = await make<{ cron_id: string }>(`/threads/${threadId}/runs/crons`, cron);
  await db.query(deadWebhook, [run?.run_id, threadId]);
  await make("/store/items", { namespace: ["shelf", mark], key: "k", value: { by: "owner" } }, "PUT");
  const runId = run?.run_id ?? "";
  const ids = { assistantId, threadId, askingId, busyId, runId, waitingId, cronId, checkpointId: checkpoint.checkpoint_id };
  return { ...ids, questionId: String(question?.id), namespace: "child", mark };
}

const holds = (name: keyof Things) => (text: string, things: Things) => text.includes(things[name]);
const counted = (text: string) => Number(text) > 0;
const marked = { body: ({ mark }: Things) => ({ metadata: { mark } }) };
const exists = (table: string, column: string, value: (things: Things) => string) => async (things: Things) =>
  (await db.query(`select from ${table} where ${column} = $1`, [value(things)])).rowCount === 1;
const hasCancelled = async (_text: string, { waitingId }: Things) =>
  (await db.query("select from runs where run_id = $1 and status = 'interrupted'", [waitingId])).rowCount === 1;
const hasItem = exists("store_items", "namespace[2]", ({ mark }) => mark);
const run = (more: object = {}) => ({ body: ({ assistantId }: Things) => ({ assistant_id: assistantId, input: {}, ...more }) });
const command = (method: string, params: (things: Things) => object = () => ({})) => ({
  body: (things: Things) => ({ id: 1, method, params: params(things) }),
  reached: (text: string) => text.includes('"success"'),
});
const makesRuns = ["threads:create_run", "assistants:read"];
const superstep = { updates: [{ values: {}, as_node: "__start__" }] };
const taken = ({ threadId }: Things) => ({ thread_id: threadId, if_exists: "do_nothing" });
const cancelling = "?cancel_on_disconnect=1";
const item = (things: Things) => ({ namespace: ["shelf", things.mark], key: "k" });

/** Every endpoint, and behind a bar what it is asked besides. */
const rows: Record<string, Row> = {
  "GET /metrics": { needs: ["threads:search"] },

  "POST /assistants | an id that is taken": {
    needs: ["assistants:create", "assistants:read"],
    body: ({ assistantId }) => ({ graph_id: "nested", assistant_id: assistantId, if_exists: "do_nothing" }),
  },
  "POST /assistants/search": { needs: ["assistants:search"], ...marked, reached: holds("assistantId") },
  "POST /assistants/count": { needs: ["assistants:search"], ...marked, reached: counted },
  "GET /assistants/{assistantId}": { needs: ["assistants:read"] },
  "PATCH /assistants/{assistantId}": { needs: ["assistants:update"] },
  "DELETE /assistants/{assistantId}": { needs: ["assistants:delete"] },
  "DELETE /assistants/{assistantId} | its threads too": {
    needs: ["assistants:delete", "threads:delete"],
    search: "?delete_threads=true",
    reached: async (_text, { threadId }) => (await db.query("select from threads where thread_id = $1", [threadId])).rowCount === 0,
  },
  "POST /assistants/{assistantId}/versions": { needs: ["assistants:read"] },
  "POST /assistants/{assistantId}/latest": { needs: ["assistants:update"] },
  "GET /assistants/{assistantId}/graph": { needs: ["assistants:read"] },
  "GET /assistants/{assistantId}/schemas": { needs: ["assistants:read"] },
  "GET /assistants/{assistantId}/subgraphs": { needs: ["assistants:read"] },
  "GET /assistants/{assistantId}/subgraphs/{namespace}": { needs: ["assistants:read"] },

  "POST /threads | an id that is taken": { needs: ["threads:create", "threads:read"], body: taken },
  "POST /threads | supersteps for an id that is taken": {
    needs: ["threads:create", "threads:read", "threads:update"],
    body: (things) => ({ ...taken(things), supersteps: [superstep] }),
  },
  "POST /threads/search": { needs: ["threads:search"], ...marked, reached: holds("threadId") },
  "POST /threads/count": { needs: ["threads:search"], ...marked, reached: counted },
  "POST /threads/prune": { needs: ["threads:delete"], body: ({ threadId }) => ({ thread_ids: [threadId] }), reached: holdsOne },
  "POST /threads/prune | to the latest": {
    needs: ["threads:update"],
    body: ({ threadId }) => ({ thread_ids: [threadId], strategy: "keep_latest" }),
    reached: holdsOne,
  },
  "GET /threads/{threadId}": { needs: ["threads:read"] },
  "PATCH /threads/{threadId}": { needs: ["threads:update"] },
  "DELETE /threads/{threadId}": { needs: ["threads:delete"] },
  "POST /threads/{threadId}/copy": { needs: ["threads:read"] },
  "GET /threads/{threadId}/state": { needs: ["threads:read"] },
  "POST /threads/{threadId}/state": { needs: ["threads:update"], body: () => ({ values: {}, as_node: "__start__" }) },
  "PATCH /threads/{threadId}/state": { needs: ["threads:update"] },
  "GET /threads/{threadId}/state/{checkpointId}": { needs: ["threads:read"] },
  "POST /threads/{threadId}/state/checkpoint": { needs: ["threads:read"] },
  "GET /threads/{threadId}/history": { needs: ["threads:read"] },
  "POST /threads/{threadId}/history": { needs: ["threads:read"] },
  "GET /threads/{threadId}/stream": { needs: ["threads:read"] },
  "POST /threads/{threadId}/stream/events": { needs: ["threads:read"] },

  "POST /threads/{threadId}/commands | state.get": { needs: ["threads:read"], ...command("state.get") },
  "POST /threads/{threadId}/commands | state.listCheckpoints": { needs: ["threads:read"], ...command("state.listCheckpoints") },
  "POST /threads/{threadId}/commands | agent.getTree": { needs: ["threads:read"], ...command("agent.getTree") },
  "POST /threads/{threadId}/commands | run.start": {
    needs: makesRuns,
    ...command("run.start", ({ assistantId }) => ({ assistant_id: assistantId, input: {} })),
  },
  "POST /threads/{threadId}/commands | state.fork": {
    needs: ["threads:read", ...makesRuns],
    ...command("state.fork", ({ checkpointId }) => ({ checkpoint_id: checkpointId })),
  },
  "POST /threads/{askingId}/commands | input.respond": {
    needs: ["threads:read", "threads:create_run"],
    ...command("input.respond", ({ questionId }) => ({ interrupt_id: questionId, response: { approved: true } })),
  },
  "POST /threads/{busyId}/commands | input.inject": {
    needs: ["threads:read", "threads:create_run"],
    ...command("input.inject", () => ({ message: { role: "user", content: "hi" } })),
  },

  "GET /webhooks/dead": { needs: ["threads:search"], reached: holds("runId") },
  "POST /webhooks/redrive": { needs: ["threads:update"], body: ({ runId }) => ({ run_ids: [runId] }), reached: holds("runId") },

  "POST /threads/{threadId}/runs": { needs: makesRuns, ...run() },
  "POST /threads/{threadId}/runs/stream": { needs: makesRuns, ...run() },
  "POST /threads/{threadId}/runs/wait": { needs: makesRuns, ...run() },
  "POST /threads/{threadId}/runs | made if missing": { needs: makesRuns, ...run({ if_not_exists: "create" }) },
  "POST /threads/{threadId}/runs | of a graph's own assistant": { needs: ["threads:create_run"], ...run({ assistant_id: "steps" }) },
  "POST /runs": { needs: ["assistants:read"], ...run() },
  "POST /runs/stream": { needs: ["assistants:read"], ...run() },
  "POST /runs/wait": { needs: ["assistants:read"], ...run() },
  "POST /runs/batch": {
    needs: makesRuns,
    body: ({ assistantId, threadId }) => [{ assistant_id: assistantId, thread_id: threadId, input: {} }],
  },
  "GET /threads/{threadId}/runs": { needs: ["threads:read", "threads:search"], reached: holds("runId") },
  "GET /threads/{threadId}/runs/{runId}": { needs: ["threads:read"] },
  "DELETE /threads/{threadId}/runs/{runId}": { needs: ["threads:delete"] },
  "GET /threads/{threadId}/runs/{runId}/join": { needs: ["threads:read"] },
  "GET /threads/{threadId}/runs/{runId}/stream": { needs: ["threads:read"] },
  "GET /runs/{runId}/stream": { needs: ["threads:read"] },
  "GET /threads/{threadId}/runs/{runId}/join | to cancel": { needs: ["threads:read", "threads:update"], search: cancelling },
  "GET /threads/{threadId}/runs/{runId}/stream | to cancel": { needs: ["threads:read", "threads:update"], search: cancelling },
  "GET /runs/{runId}/stream | to cancel": { needs: ["threads:read", "threads:update"], search: cancelling },
  "POST /threads/{busyId}/runs/{waitingId}/cancel": { needs: ["threads:update"], search: "?wait=1", reached: hasCancelled },
  "POST /runs/cancel": { needs: ["threads:update"], body: () => ({ status: "all" }), reached: hasCancelled },
  "POST /runs/cancel | by name": {
    needs: ["threads:update"],
    body: ({ busyId, waitingId }) => ({ thread_id: busyId, run_ids: [waitingId] }),
    reached: hasCancelled,
  },

  "POST /runs/crons": { needs: ["assistants:read"], ...run({ schedule: "0 0 1 1 *" }) },
  "POST /threads/{threadId}/runs/crons": { needs: makesRuns, ...run({ schedule: "0 0 1 1 *" }) },
  "PATCH /runs/crons/{cronId}": { needs: ["crons:update", ...makesRuns], body: () => ({ schedule: "0 0 2 2 *" }) },
  "PATCH /runs/crons/{cronId} | to what it runs": { needs: ["crons:update", ...makesRuns], body: () => ({ input: { by: "bob" } }) },
  "PATCH /runs/crons/{cronId} | to run no more": { needs: ["crons:update"], body: () => ({ enabled: false }) },
  "DELETE /runs/crons/{cronId}": { needs: ["crons:delete"] },
  "POST /runs/crons/search": { needs: ["crons:search"], reached: holds("cronId"), body: ({ threadId }) => ({ thread_id: threadId }) },
  "POST /runs/crons/count": { needs: ["crons:search"], reached: counted, body: ({ threadId }) => ({ thread_id: threadId }) },

  "PUT /store/items": { needs: ["store:put"], body: (things) => ({ ...item(things), value: { by: "bob" } }) },
  "GET /store/items": {
    needs: ["store:get"],
    search: "?namespace=shelf&namespace={mark}&key=k",
    reached: (text) => text.includes("owner"),
  },
  "DELETE /store/items": { needs: ["store:delete"], body: item, reached: async (_text, things) => !(await hasItem(things)) },
  "POST /store/items/search": {
    needs: ["store:search"],
    body: ({ mark }) => ({ namespace_prefix: ["shelf", mark] }),
    reached: holds("mark"),
  },
  "POST /store/namespaces": { needs: ["store:list_namespaces"], body: ({ mark }) => ({ suffix: [mark] }), reached: holds("mark") },
};

function holdsOne(text: string): boolean {
  return JSON.parse(text).pruned_count === 1;
}

/** Of these nothing is anybody's. */
const nobodys = ["GET /ok", "GET /info", "POST /assistants", "POST /threads"];

const endpointOf = (name: string) => (name.split(" | ")[0] ?? "").replace(/askingId|busyId/, "threadId").replace("waitingId", "runId");

function toRequest(name: string, { body, search = "" }: Row, things: Things): Asked {
  const [method = "", path = ""] = (name.split(" | ")[0] ?? "").split(" ");
  const filled = (path + search).replace(/\{(\w+)\}/g, (_, id: keyof Things) => things[id]);
  return { method, path: filled, body: body ? body(things) : endpoints[endpointOf(name)]?.body };
}

async function reaches(name: string, row: Row, things: Things, events: string[], who = "bob"): Promise<boolean> {
  const response = await call(`${who} ${events.join(",")}`, toRequest(name, row, things));
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  const text = isStream ? "" : await response.text();
  await response.body?.cancel().catch(() => {});
  if (!response.ok)
    expect({ status: response.status, text }).toMatchObject({ status: expect.toBeOneOf(name === "GET /metrics" ? [403] : [404, 409]) });
  return response.ok && (row.reached ? await row.reached(text, things) : true);
}

test("every endpoint has its row", () => {
  const covered = new Set(Object.keys(rows).map(endpointOf));
  expect(Object.keys(endpoints).filter((name) => !covered.has(name) && !nobodys.includes(name))).toEqual([]);
});

test.each(Object.entries(rows))("%s reaches what its decisions hold, and needs each of them", async (name, row) => {
  for (const missing of row.needs) {
    const others = everyEvent.filter((event) => event !== missing);
    expect(await reaches(name, row, await makeThings(), others), `without ${missing}`).toBe(false);
  }
  expect(await reaches(name, row, await makeThings(), row.needs, "watched"), `with ${row.needs}`).toBe(true);
  expect(heldDuring.splice(0)).toEqual([]);
});

test("of two changes of a cron at one moment the second is refused, not lost", async () => {
  const { cronId } = await makeThings();
  meanwhile = async (event) => {
    if (event === "threads:create_run") await db.query("update crons set schedule = '0 0 2 2 *' where cron_id = $1", [cronId]);
  };
  const bearer = "watched crons:update,threads:create_run,assistants:read";
  const second = await call(bearer, { method: "PATCH", path: `/runs/crons/${cronId}`, body: { schedule: "0 0 3 3 *" } });
  meanwhile = async () => {};
  expect([second.status, await second.text()]).toEqual([409, "The cron has been changed meanwhile; try again."]);
});

test("of whose assistant a cron is, handlers are told by its id, for the cron and for its runs", async () => {
  const told: Record<string, unknown> = {};
  meanwhile = async (event, { assistant_id: assistantId }) => {
    told[event] = assistantId;
  };
  const path = "/runs/crons";
  const made = await call("watched", { method: "POST", path, body: { assistant_id: "steps", schedule: "0 0 1 1 *", input: {} } });
  meanwhile = async () => {};
  const { assistant_id: assistantId } = (await made.json()) as { assistant_id: string };
  expect(told).toEqual({ "crons:create": assistantId, "threads:create_run": assistantId });
});

const running = async () => {
  const { thread_id: threadId } = await ask<{ thread_id: string }>("ann", "POST", "/threads", {});
  const endless = { assistant_id: "slow", input: { until: 10_000, tickMs: 20 }, config: { recursion_limit: 100_000 } };
  const { run_id: runId } = await ask<{ run_id: string }>("ann", "POST", `/threads/${threadId}/runs`, endless);
  const status = async () => (await ask<{ status: string }>("ann", "GET", `/threads/${threadId}/runs/${runId}`)).status;
  await eventually(status).toBe("running");
  return { threadId, runId, status };
};

/** Leaves once the service has begun to wait for the run, or has refused to. */
async function joinAndLeave(bearer: string, path: string): Promise<number | "left"> {
  const leaving = new AbortController();
  const joined = call(bearer, { method: "GET", path }, leaving.signal).then(
    ({ status }) => status,
    () => "left" as const,
  );
  setTimeout(() => leaving.abort(), 300);
  const status = await joined;
  leaving.abort();
  return status;
}

test.each(["/threads/{threadId}/runs/{runId}/join", "/threads/{threadId}/runs/{runId}/stream", "/runs/{runId}/stream"])(
  "who may only read cancels nothing by leaving %s, who may change it does",
  async (route) => {
    const { threadId, runId, status } = await running();
    const path = route.replace("{threadId}", threadId).replace("{runId}", runId) + cancelling;
    expect(await joinAndLeave("bob threads:read", path)).toBe(404);
    expect(await status()).toBe("running");
    expect(await joinAndLeave("bob threads:read,threads:update", path)).toBeOneOf([200, "left"]);
    await eventually(status).toBe("interrupted");
  },
);
