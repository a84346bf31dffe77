import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { afterAll, expect, test } from "vitest";
import { makeProject, until } from "../command.ts";
import { type DecisionRow, decisionRows, type Things } from "../decision-rows.ts";
import { endpoints } from "../endpoints.ts";
import { startTestService } from "../service.ts";
import { eventually, readFrames } from "../sse.ts";

/** The auth events during which the service held a transaction open while the handler took its time. */
const heldDuring: string[] = [];
/** A function that runs while a handler decides, so that a test can change rows meanwhile. */
let meanwhile: (event: string, value: Record<string, unknown>) => Promise<void> = async () => {};
const inTransaction = "select from pg_stat_activity where datname = current_database() and state = 'idle in transaction'";
const onlooker = createServer(async (request, response) => {
  const { url = "" } = request;
  const value = await json(request);
  const isHeld = async () => (await db.query(inTransaction)).rowCount !== 0;
  // Transactions of the service's own work also end while the handler waits, but on a busy machine they can take seconds.
  await until(async () => !(await isHeld()), 30_000).catch(() => heldDuring.push(url.slice(1)));
  await meanwhile(url.slice(1), value as Record<string, unknown>);
  response.end();
});
await new Promise<void>((resolve) => onlooker.listen(0, "127.0.0.1", resolve));
afterAll(() => onlooker.close());
const onlookerUrl = `http://127.0.0.1:${(onlooker.address() as AddressInfo).port}`;

/** The auth of this test. Users see their own rows, and all rows for the events that their token names. */
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
const graphs = {
  ...Object.fromEntries(
    ["steps", "nested", "review", "slow", "listing"].map((name) => [name, `${import.meta.dirname}/../graphs/${name}.ts:graph`]),
  ),
  chatting: `${import.meta.dirname}/../graphs/kinds.ts:agent`,
};
const project = await makeProject({
  "auth.ts": auth,
  "langgraph.json": { graphs, auth: { path: "./auth.ts:auth" }, ensemble: { resources: { db: { pool: 1 } } } },
});
const { fetch, db } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
/** Limits belong to nobody, so all rows use the same one. */
await db.query("insert into limits (name, graphs, configured, total) values ('db', '{none}', '{}', 9)");

interface Asked {
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}
/** All events for which a handler can be called. */
const everyEvent = Object.entries({
  assistants: ["create", "read", "update", "delete", "search"],
  threads: ["create", "read", "update", "delete", "search", "create_run"],
  crons: ["create", "read", "update", "delete", "search"],
  store: ["put", "get", "search", "delete", "list_namespaces"],
}).flatMap(([resource, actions]) => actions.map((action) => `${resource}:${action}`));

const call = (bearer: string, { method, path, body, headers }: Asked, signal = AbortSignal.timeout(60_000)) =>
  fetch(path, {
    method,
    headers: { authorization: `Bearer ${bearer}`, ...(body !== undefined && { "content-type": "application/json" }), ...headers },
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

const deadLetter = `insert into dead_letters (letter_id, kind, run_id, thread_id, graph_id, assistant_id, error, metadata)
  values (gen_random_uuid(), 'run', $1, $2, 'nested', $3, '{}', $4) returning letter_id`;

/** Creates one row of each kind, all with the same owner. */
async function makeThings(): Promise<Things> {
  const mark = randomUUID();
  const owner = `owner_${mark.slice(0, 8)}`; // a new owner each time, because the number of crons per user is limited
  const make = <Answer>(path: string, body?: unknown, method = "POST") => ask<Answer>(owner, method, path, body);
  const { assistant_id: assistantId } = await make<{ assistant_id: string }>("/assistants", { graph_id: "nested", metadata: { mark } });
  await make(`/assistants/${assistantId}`, { name: "second version" }, "PATCH");
  const newThread = async () => (await make<{ thread_id: string }>("/threads", { metadata: { mark } })).thread_id;
  const [threadId, askingId, busyId] = [await newThread(), await newThread(), await newThread()];
  await make(`/threads/${threadId}/runs/wait`, { assistant_id: assistantId, input: {}, feedback_keys: ["k"] });
  const [run] = await make<{ run_id: string }[]>(`/threads/${threadId}/runs`, undefined, "GET");
  await db.query("update feedback set changes = 1, given_at = now() where run_id = $1", [run?.run_id]);
  const { checkpoint } = await make<{ checkpoint: { checkpoint_id: string } }>(`/threads/${threadId}/state`, undefined, "GET");
  const later = { assistant_id: "steps", input: {}, after_seconds: 3_600 };
  const { run_id: waitingId } = await make<{ run_id: string }>(`/threads/${busyId}/runs`, later);
  await make(`/threads/${askingId}/runs/wait`, { assistant_id: "review", input: { topic: "rivers" } });
  const [question] = Object.values((await make<{ interrupts: object }>(`/threads/${askingId}`, undefined, "GET")).interrupts).flat();
  const cron = { assistant_id: assistantId, schedule: "0 0 1 1 *", input: {} };
  const { cron_id: cronId } = await make<{ cron_id: string }>(`/threads/${threadId}/runs/crons`, cron);
  await db.query(deadWebhook, [run?.run_id, threadId]);
  const { rows: letters } = await db.query(deadLetter, [run?.run_id, threadId, assistantId, JSON.stringify({ owner })]);
  await make("/store/items", { namespace: ["shelf", mark], key: "k", value: { by: "owner" } }, "PUT");
  const runId = run?.run_id ?? "";
  const { plan_id: planId } = await make<{ plan_id: string }>("/plans", { subtasks: [{ id: "a" }] });
  const planThreadId = await newThread();
  const listed = { tasks: [{ id: "a", subject: "s", status: "pending" }] };
  await make(`/threads/${planThreadId}/runs/wait`, { assistant_id: "listing", input: listed });
  const letterId = String(letters[0].letter_id);
  const model = `model_${mark}`;
  const { assistant_id: chatId } = await make<{ assistant_id: string }>("/assistants", { graph_id: "chatting", name: model });
  const chat = await make<{ id: string }>("/v1/responses", { model: chatId, input: "Hi" });
  const ids = {
    assistantId,
    threadId,
    askingId,
    busyId,
    runId,
    waitingId,
    cronId,
    letterId,
    chatId,
    responseId: chat.id,
    model,
    planId,
    planThreadId,
    taskId: "a",
    checkpointId: checkpoint.checkpoint_id,
  };
  return { ...ids, questionId: String(question?.id), namespace: "child", name: "db", mark, owner };
}

/** Endpoints without rows that belong to a user. */
const nobodys = [
  "GET /ok",
  "GET /info",
  "GET /console/config.json",
  "POST /assistants",
  "POST /threads",
  "POST /plans",
  "POST /feedback/tokens/{token}", // the token is the right
  "GET /feedback/tokens/{token}",
];

/** Endpoints about the whole service, which refuse users who do not see everything. */
const ofAll = [
  "GET /metrics",
  "GET /workers",
  "POST /workers/halt",
  "POST /workers/resume",
  "GET /runs/stats",
  "GET /usage",
  "GET /stats",
  "GET /limits",
  "GET /limits/{name}",
  "PUT /limits/{name}",
  "DELETE /limits/{name}",
  "GET /resources",
  "PUT /resources/{name}",
  "DELETE /resources/{name}",
];

const endpointOf = (name: string) =>
  (name.split(" | ")[0] ?? "").replace(/askingId|busyId|planThreadId/, "threadId").replace("waitingId", "runId");

function toRequest(name: string, { body, headers, search = "" }: DecisionRow, things: Things): Asked {
  const [method = "", path = ""] = (name.split(" | ")[0] ?? "").split(" ");
  const filled = (path + search).replace(/\{(\w+)\}/g, (_, id: keyof Things) => things[id]);
  return {
    method,
    path: filled,
    body: body ? body(things) : endpoints[endpointOf(name)]?.body,
    ...(headers && { headers: headers(things) }),
  };
}

interface Attempt {
  name: string;
  row: DecisionRow;
  things: Things;
  /** The auth events that the caller holds. */
  events: string[];
  who: string;
}

/** Returns whether a request reaches the rows of another user. If it should, waits for the first frame of a stream. */
async function reaches({ name, row, things, events, who }: Attempt, isExpected: boolean): Promise<boolean> {
  const leaving = new AbortController();
  const response = await call(`${who} ${events.join(",")}`, toRequest(name, row, things), leaving.signal);
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  const ownersBeginning = () => call(things.owner, toRequest(name, row, things), leaving.signal).then(firstFrame);
  const text = !isStream
    ? await response.text()
    : isExpected && row.reached
      ? await firstFrame(response)
      : await beginningOf(response, row.reached && ownersBeginning);
  leaving.abort();
  if (!response.ok)
    expect({ status: response.status, text }).toMatchObject({
      status: expect.toBeOneOf(ofAll.includes(name) ? [403] : [404, 409]),
    });
  return response.ok && (row.reached ? await row.reached(text, things, db) : true);
}

/**
 * Returns the first frame of a stream that opens in any case, if the frame matters. A thread that exists sends its past events at once.
 * The stream is silent if the owner, who asks later, and then once more, is answered first.
 */
async function beginningOf(response: Response, ownersBeginning?: () => Promise<string>): Promise<string> {
  if (!ownersBeginning) return "";
  const silence = ownersBeginning()
    .then(ownersBeginning)
    .then(() => "silence");
  return Promise.race([firstFrame(response), silence]);
}

const firstFrame = (response: Response) =>
  readFrames(response)
    .next()
    .then(
      ({ value }) => value ?? "",
      () => "cut", // the stream is cut when the client disconnects
    );

test("every endpoint has its row", () => {
  const covered = new Set(Object.keys(decisionRows).map(endpointOf));
  expect(Object.keys(endpoints).filter((name) => !covered.has(name) && !nobodys.includes(name))).toEqual([]);
});

test.each(Object.entries(decisionRows))("%s reaches what its decisions hold, and needs each of them", async (name, row) => {
  for (const missing of row.needs) {
    const others = everyEvent.filter((event) => event !== missing);
    const attempt = { name, row, things: await makeThings(), events: others, who: "bob" };
    expect(await reaches(attempt, false), `without ${missing}`).toBe(false);
  }
  const attempt = { name, row, things: await makeThings(), events: row.needs, who: "watched" };
  expect(await reaches(attempt, true), `with ${row.needs}`).toBe(true);
  expect(heldDuring.splice(0)).toEqual([]);
});

test("of two simultaneous changes of a cron the second is refused, not lost", async () => {
  const { cronId } = await makeThings();
  meanwhile = async (event) => {
    if (event === "threads:create_run") await db.query("update crons set schedule = '0 0 2 2 *' where cron_id = $1", [cronId]);
  };
  const bearer = "watched crons:update,threads:create_run,assistants:read";
  const second = await call(bearer, { method: "PATCH", path: `/runs/crons/${cronId}`, body: { schedule: "0 0 3 3 *" } });
  meanwhile = async () => {};
  expect([second.status, await second.text()]).toEqual([409, "The cron has been changed meanwhile. Try again."]);
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

/**
 * Finds the query with which the service checks whether a run has ended. The service sends it when it has begun to wait. The pattern does
 * not match itself.
 */
const hasLooked = "select from pg_stat_activity where datname = current_database() and query ~ 'as [p]assed' and query_start > $1";

/** Disconnects once the service has begun to wait for the run, or has refused to wait. */
async function joinAndLeave(bearer: string, path: string): Promise<number | "left"> {
  const leaving = new AbortController();
  const { rows } = await db.query("select clock_timestamp() as now");
  const joined = call(bearer, { method: "GET", path }, leaving.signal).then(
    ({ status }) => status,
    () => "left" as const,
  );
  const isWaiting = until(async () => (await db.query(hasLooked, [rows[0].now])).rowCount !== 0).then(() => "left" as const);
  const status = await Promise.race([joined, isWaiting]);
  leaving.abort();
  return status;
}

test.each(["/threads/{threadId}/runs/{runId}/join", "/threads/{threadId}/runs/{runId}/stream", "/runs/{runId}/stream"])(
  "who may only read cancels nothing by leaving %s, who may change it does",
  async (route) => {
    const { threadId, runId, status } = await running();
    const path = `${route.replace("{threadId}", threadId).replace("{runId}", runId)}?cancel_on_disconnect=1`;
    expect(await joinAndLeave("bob threads:read", path)).toBe(404);
    expect(await status()).toBe("running");
    expect(await joinAndLeave("bob threads:read,threads:update", path)).toBeOneOf([200, "left"]);
    await eventually(status).toBe("interrupted");
  },
);
