import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Endpoint, endpoints } from "../endpoints.ts";
import { startTestService } from "../service.ts";

const project = fileURLToPath(new URL("../graphs/with-auth/langgraph.json", import.meta.url));
const { fetch, db } = await startTestService({ ENSEMBLE_CONFIG: project });

const deadLetter = `
  insert into dead_letters (letter_id, kind, item, assistant_id, error, metadata)
  select gen_random_uuid(), 'task', 'i', $1, '{}', metadata from threads where thread_id = $2 returning letter_id`;

/** Rows of every kind, all owned by alice. */
const alices: Record<string, string> = { namespace: "child", ...(await makeThings("alice")) };
const idOfNothing = (name: string) => (name === "namespace" ? "child" : name === "responseId" ? `resp_${randomUUID()}` : randomUUID());
/** Ids that do not exist. A request of another user for alice's rows must get the same response as a request for these ids. */
const nobodys = Object.fromEntries(Object.keys(alices).map((name) => [name, idOfNothing(name)]));

const open = ["GET /info", "GET /console/config.json", "POST /feedback/tokens/{token}", "GET /feedback/tokens/{token}"];
const signedInOnly = ["GET /ok"];
const everyEndpoint = Object.entries(endpoints);

async function call(name: string | undefined, method: string, path: string, body?: unknown): Promise<Response> {
  const headers = { ...(name && { authorization: `Bearer ${name}` }), ...(body !== undefined && { "content-type": "application/json" }) };
  return fetch(path, { method, headers, signal: AbortSignal.timeout(60_000), ...(body !== undefined && { body: JSON.stringify(body) }) });
}

async function ask<Answer>(name: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await call(name, method, path, body);
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === "" ? undefined : JSON.parse(text)) as Answer;
}

async function makeThings(name: string) {
  const { assistant_id: assistantId } = await ask<{ assistant_id: string }>(name, "POST", "/assistants", { graph_id: "nested" });
  const { thread_id: threadId } = await ask<{ thread_id: string }>(name, "POST", "/threads", {});
  await ask(name, "POST", `/threads/${threadId}/runs/wait`, { assistant_id: assistantId, input: {}, feedback_keys: ["k"] });
  const [run] = await ask<{ run_id: string }[]>(name, "GET", `/threads/${threadId}/runs`);
  const [feedback] = await ask<{ url: string }[]>(name, "GET", `/threads/${threadId}/runs/${run?.run_id}/feedback`);
  const token = feedback?.url.split("/").at(-1) ?? "";
  const { checkpoint } = await ask<{ checkpoint: { checkpoint_id: string } }>(name, "GET", `/threads/${threadId}/state`);
  const cron = { assistant_id: assistantId, schedule: "0 0 1 1 *", input: {} };
  const { cron_id: cronId } = await ask<{ cron_id: string }>(name, "POST", "/runs/crons", cron);
  const { plan_id: planId } = await ask<{ plan_id: string }>(name, "POST", "/plans", { subtasks: [{ id: "a" }] });
  const { id: responseId } = await ask<{ id: string }>(name, "POST", "/v1/responses", { model: "chatting", input: "Hi" });
  const letters = await db.query(deadLetter, [assistantId, threadId]);
  const letterId: string = letters.rows[0].letter_id;
  return {
    token,
    assistantId,
    threadId,
    runId: run?.run_id ?? "",
    checkpointId: checkpoint.checkpoint_id,
    cronId,
    planId,
    taskId: "a",
    letterId,
    responseId,
  };
}

const fill = (path: string, ids: Record<string, string>) =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? (name === "name" ? "db" : ""));

function requestOf(
  route: string,
  { body, search = "" }: Endpoint,
  ids: Record<string, string>,
): [method: string, path: string, body: unknown] {
  const [method = "", path = ""] = route.split(" ");
  return [method, fill(path, ids) + search, body];
}

/** Returns a response in which every id is replaced by a number, so that responses about different ids can be compared. */
async function answerOf(response: Response) {
  const text = response.headers.get("content-type")?.startsWith("text/event-stream") ? "a stream" : await response.text();
  await response.body?.cancel().catch(() => {});
  return { status: response.status, text: text.replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, "<id>") };
}

async function aliceHas() {
  const { rows } = await db.query(`
    select (select json_agg(json_build_array(thread_id, metadata, updated_at) order by thread_id) from threads) as threads,
           (select json_agg(json_build_array(run_id, status, updated_at) order by run_id) from runs) as runs,
           (select json_agg(assistants order by assistant_id) from assistants) as assistants,
           (select json_agg(crons order by cron_id) from crons) as crons,
           (select json_agg(plan_tasks order by plan_id) from plan_tasks) as plans,
           (select json_agg(dead_letters order by letter_id) from dead_letters) as letters,
           (select count(*)::integer from checkpoints) as checkpoints`);
  return rows[0];
}

test.each(everyEndpoint)("%s asks who is asking", async (route, endpoint) => {
  const response = await call(undefined, ...requestOf(route, endpoint, alices));
  await response.body?.cancel();
  expect(response.status).toBe(open.includes(route) ? 200 : 401);
  if (response.status === 401) expect(response.headers.get("www-authenticate")).toBe("Names");
});

test.each(["/docs", "/openapi.json", "/nowhere", "/threads/x/../../docs"])("%s asks who is asking", async (path) => {
  const response = await call(undefined, "GET", path);
  expect(response.status).toBe(401);
  expect(await response.text()).toBe("Who are you?");
});

test("a browser may ask what it may send, without saying who it is", async () => {
  const preflight = { origin: "http://a.test", "access-control-request-method": "POST", "access-control-request-headers": "authorization" };
  const response = await fetch("/threads", { method: "OPTIONS", headers: preflight });
  expect([response.status, response.headers.get("access-control-allow-headers")]).toEqual([204, "authorization"]);
  expect(
    (await fetch("/threads", { method: "POST", headers: { origin: "http://a.test" } })).headers.get("access-control-allow-origin"),
  ).toBe("*");
});

const aboutOneThing = everyEndpoint.filter(([route]) => /\{\w+Id\}/.test(route));

test.each(aboutOneThing)("%s answers of somebody else's as of nothing, and leaves it alone", async (route, endpoint) => {
  const before = await aliceHas();
  const ofAlices = await answerOf(await call("bob", ...requestOf(route, endpoint, alices)));
  const ofNobodys = await answerOf(await call("bob", ...requestOf(route, endpoint, nobodys)));
  expect(ofAlices).toEqual(ofNobodys);
  if (endpoint.unknownId === 200) expect(ofAlices.text).toMatch(/^a stream$|"message":"Thread with ID <id> not found"/);
  else expect(ofAlices.status).toBeOneOf([404, 409]);
  expect(await aliceHas()).toEqual(before);
});

const bobs = await makeThings("bob");

/** Requests in which a field of the body or query names another user's row. */
const smuggled: [what: string, method: string, path: string, body: unknown, status: number][] = [
  ["a run of an assistant", "POST", "/runs", { assistant_id: alices.assistantId, input: {} }, 404],
  [
    "a run on a thread, made if missing",
    "POST",
    `/threads/${alices.threadId}/runs`,
    { assistant_id: "steps", if_not_exists: "create" },
    404,
  ],
  [
    "a batch",
    "POST",
    "/runs/batch",
    [
      { assistant_id: "steps", input: {} },
      { assistant_id: "steps", thread_id: alices.threadId },
    ],
    404,
  ],
  [
    "a thread in the configurable",
    "POST",
    `/threads/${bobs.threadId}/runs/wait`,
    { assistant_id: "steps", input: {}, config: { configurable: { thread_id: alices.threadId } } },
    200,
  ],
  [
    "a checkpoint",
    "POST",
    `/threads/${bobs.threadId}/runs`,
    { assistant_id: "steps", checkpoint: { checkpoint_id: alices.checkpointId } },
    404,
  ],
  [
    "a checkpoint in the configurable",
    "POST",
    `/threads/${bobs.threadId}/runs`,
    { assistant_id: "steps", config: { configurable: { checkpoint_id: alices.checkpointId } } },
    404,
  ],
  ["a checkpoint to look at", "GET", `/threads/${bobs.threadId}/state/${alices.checkpointId}`, undefined, 404],
  [
    "a checkpoint to write at",
    "POST",
    `/threads/${bobs.threadId}/state`,
    { values: {}, checkpoint: { thread_id: alices.threadId, checkpoint_id: alices.checkpointId } },
    404,
  ],
  ["a run under a thread of one's own", "GET", `/threads/${bobs.threadId}/runs/${alices.runId}`, undefined, 404],
  ["the deletion of one", "DELETE", `/threads/${bobs.threadId}/runs/${alices.runId}`, undefined, 404],
  ["the cancelling of one", "POST", "/runs/cancel", { thread_id: alices.threadId, run_ids: [alices.runId] }, 404],
  [
    "the cancelling of one, under a thread of one's own",
    "POST",
    "/runs/cancel",
    { thread_id: bobs.threadId, run_ids: [alices.runId] },
    404,
  ],
  ["the cancelling of all", "POST", "/runs/cancel", { status: "all" }, 204],
  ["a thread's pruning", "POST", "/threads/prune", { thread_ids: [alices.threadId], strategy: "keep_latest" }, 200],
  ["a thread id that is taken", "POST", "/threads", { thread_id: alices.threadId, if_exists: "do_nothing" }, 409],
  [
    "an assistant id that is taken",
    "POST",
    "/assistants",
    { assistant_id: alices.assistantId, graph_id: "steps", if_exists: "do_nothing" },
    409,
  ],
  ["a cron on a thread", "POST", `/threads/${alices.threadId}/runs/crons`, { assistant_id: "steps", schedule: "0 0 1 1 *" }, 404],
  ["a cron of an assistant", "POST", "/runs/crons", { assistant_id: alices.assistantId, schedule: "0 0 1 1 *" }, 404],
];

test.each(smuggled)("%s that is somebody else's comes to nothing", async (_what, method, path, body, status) => {
  const hers = ["threads", "runs", "assistants", "crons"] as const;
  const ofAlice = async () => {
    const { rows } = await db.query(
      `select (select json_agg(t) from (select metadata, updated_at from threads where thread_id = $1) t) as threads,
              (select json_agg(r order by run_id) from (select run_id, status, cancel from runs where thread_id = $1) r) as runs,
              (select json_agg(a) from assistants a where assistant_id = $2) as assistants,
              (select json_agg(c order by cron_id) from crons c where user_id = 'alice') as crons,
              (select count(*) from checkpoints where thread_id = $1::text) as checkpoints`,
      [alices.threadId, alices.assistantId],
    );
    return rows[0];
  };
  const before = await ofAlice();
  const response = await call("bob", method, path, body);
  // reads the whole response, so that the request has ended
  expect({ status: response.status, text: await response.text() }).toMatchObject({ status });
  const after = await ofAlice();
  for (const kind of hers) expect(after[kind]).toEqual(before[kind]);
  expect(after.checkpoints).toBe(before.checkpoints);
});

const lists: [path: string, filter: object, idField: string][] = [
  ["/threads/search", { ids: [alices.threadId] }, "thread_id"],
  ["/threads/search", { metadata: { owner: "alice" } }, "thread_id"],
  ["/threads/search", { metadata: { "owner' or 'a' = 'a": 1 } }, "thread_id"],
  ["/assistants/search", { metadata: { owner: "alice" } }, "assistant_id"],
  ["/runs/crons/search", { thread_id: alices.threadId }, "cron_id"],
  ["/runs/crons/search", { assistant_id: alices.assistantId }, "cron_id"],
];

test.each(lists)("a list (%s, %j) has nothing of anybody else, and a count does not count it", async (path, filter) => {
  expect(await ask("bob", "POST", path, filter)).toEqual([]);
  expect(await ask("bob", "POST", path.replace("/search", "/count"), filter)).toBe(0);
});

test("a list and its total contain only what the user owns", async () => {
  for (const [name, things] of [
    ["alice", alices],
    ["bob", bobs],
  ] as const) {
    const response = await call(name, "POST", "/assistants/search", { limit: 1 });
    expect(await response.json()).toMatchObject([{ assistant_id: things.assistantId, metadata: { owner: name } }]);
    expect(response.headers.get("x-pagination-total")).toBe("1");
    expect(await ask(name, "POST", "/runs/crons/search", {})).toMatchObject([{ cron_id: things.cronId, user_id: name }]);
    expect(await ask<object[]>(name, "POST", "/threads/search", {})).toEqual(
      expect.arrayContaining([expect.objectContaining({ thread_id: things.threadId })]),
    );
    const owners = await ask<{ metadata: { owner: string } }[]>(name, "POST", "/threads/search", { limit: 100 });
    expect([...new Set(owners.map(({ metadata }) => metadata.owner))]).toEqual([name]);
  }
});

test("a search of runs finds only the runs on the user's own threads, and counts only these", async () => {
  const filters = [
    {},
    { thread_id: alices.threadId },
    { assistant_id: alices.assistantId },
    { metadata: { owner: "alice" } },
    { status: "success" },
  ];
  for (const filter of filters) {
    const response = await call("bob", "POST", "/runs/search", { ...filter, limit: 1_000 });
    const runs = (await response.json()) as { run_id: string; thread_id: string; kwargs: object }[];
    expect(runs.map(({ run_id }) => run_id)).not.toContain(alices.runId);
    expect(JSON.stringify(runs)).not.toContain("alice");
    expect(response.headers.get("x-pagination-total")).toBe(String(runs.length));
  }
  expect(await ask("alice", "POST", "/runs/search", { thread_id: alices.threadId })).toMatchObject([{ run_id: alices.runId }]);
  const own = await ask("bob", "POST", "/runs/search", { thread_id: bobs.threadId });
  expect(own).toEqual(expect.arrayContaining([expect.objectContaining({ run_id: bobs.runId })]));
  expect(await ask("admin", "POST", "/runs/search", { assistant_id: alices.assistantId })).toMatchObject([{ run_id: alices.runId }]);
});

/** If the auth handler fails, access is denied, and the response does not show the error. */
test.each(everyEndpoint.filter(([route]) => ![...open, ...signedInOnly].includes(route)))(
  "%s is closed while whoever decides is broken",
  async (route, endpoint) => {
    const before = await aliceHas();
    for (const name of ["broken", "careless"]) {
      const response = await call(name, ...requestOf(route, endpoint, alices));
      const text = await response.text();
      const error = { message: "Internal Server Error", type: "server_error", code: null, param: null };
      const sentence = route.includes(" /v1/") ? JSON.stringify({ error }) : error.message;
      if (route === "POST /mcp") expect(text).toContain('"error":{"code":-32603,"message":"Internal Server Error"}');
      else expect([response.status, text]).toEqual([500, sentence]);
    }
    expect(await aliceHas()).toEqual(before);
  },
);

test("only a user who may read all runs gets the metrics of all users", async () => {
  for (const query of ["", "?format=json"]) {
    expect((await call("admin", "GET", `/metrics${query}`)).status).toBe(200);
    const response = await call("bob", "GET", `/metrics${query}`);
    expect([response.status, await response.text()]).toEqual([403, expect.stringContaining("ENSEMBLE_METRICS_PORT")]);
  }
});

test("only a user who may read all runs gets the list of workers", async () => {
  expect((await call("admin", "GET", "/workers")).status).toBe(200);
  const response = await call("bob", "GET", "/workers");
  expect([response.status, await response.text()]).toEqual([403, expect.stringContaining("API key")]);
});
