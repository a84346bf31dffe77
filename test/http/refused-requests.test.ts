import { randomUUID } from "node:crypto";
import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { startTestService } from "../service.ts";

const { client, fetch, db, urls } = await startTestService({ ENSEMBLE_BODY_LIMIT_MB: "0.5" });
const { thread_id: threadId } = await client.threads.create();
await client.runs.wait(threadId, "steps", { input: {} });
const { thread_id: untouched } = await client.threads.create();
const { thread_id: strange } = await client.threads.create({ graphId: "nobody" });

const nowhere = { checkpoint_id: randomUUID() };
const noSubgraph = { checkpoint_ns: "nobody:1" };

/** Valid requests that cannot be fulfilled: the request, its body, the status, and the error message. */
const refusals: [what: string, route: string, body: unknown, status: number, sentence: RegExp][] = [
  [
    "an assistant for an unknown graph",
    "POST /assistants",
    { graph_id: "nobody" },
    404,
    /^Graph "nobody" not found; this server has steps/,
  ],
  ["an unknown graph for an assistant", "PATCH /assistants/steps", { graph_id: "__proto__" }, 404, /^Graph "__proto__" not found/],
  ["an unknown version", "POST /assistants/steps/latest", { version: 99 }, 404, /^Assistant version not found/],
  ["a thread that exists", "POST /threads", { thread_id: threadId }, 409, /^Thread already exists/],
  ["a run of an unknown assistant", "POST /runs", { assistant_id: "nobody" }, 404, /^No assistant found for "nobody"/],
  [
    "the same on a thread",
    `POST /threads/${threadId}/runs/stream`,
    { assistant_id: "constructor" },
    404,
    /^No assistant found for "constructor"/,
  ],
  [
    "a run from an unknown checkpoint",
    `POST /threads/${threadId}/runs`,
    { assistant_id: "steps", ...nowhere },
    404,
    /^Checkpoint .+ not found/,
  ],
  [
    "the same in its object",
    `POST /threads/${threadId}/runs/wait`,
    { assistant_id: "steps", checkpoint: nowhere },
    404,
    /^Checkpoint .+ not found/,
  ],
  [
    "the same in its config",
    `POST /threads/${threadId}/runs`,
    { assistant_id: "steps", config: { configurable: nowhere } },
    404,
    /^Checkpoint .+ not found/,
  ],
  ["a stateless run from a checkpoint", "POST /runs/wait", { assistant_id: "steps", checkpoint: nowhere }, 404, /^Checkpoint .+ not found/],
  ["a batch with one bad run", "POST /runs/batch", [{ assistant_id: "steps" }, { assistant_id: "nobody" }], 404, /^No assistant found/],
  [
    "a batch with one bad thread",
    "POST /runs/batch",
    [{ assistant_id: "steps" }, { assistant_id: "steps", thread_id: randomUUID() }],
    404,
    /^Thread with ID/,
  ],
  ["an empty batch", "POST /runs/batch", [], 422, /body/],
  ["cancelling nothing", "POST /runs/cancel", {}, 422, /^Give either status, or thread_id and run_ids/],
  ["cancelling half", "POST /runs/cancel", { thread_id: threadId }, 422, /^Give either status/],
  ["cancelling by status on a thread", "POST /runs/cancel", { status: "all", thread_id: threadId }, 422, /^Give either status/],
  ["cancelling by status and ids", "POST /runs/cancel", { status: "all", run_ids: [randomUUID()] }, 422, /^Give either status/],
  ["cancelling twofold", "POST /runs/cancel", { status: "all", thread_id: threadId, run_ids: [randomUUID()] }, 422, /^Give either status/],
  ["cancelling an unknown run", "POST /runs/cancel", { thread_id: threadId, run_ids: [randomUUID()] }, 404, /^No runs found to cancel/],
  ["an update of a thread without a graph", `POST /threads/${untouched}/state`, { values: {} }, 400, /^Thread .+ has no graph ID/],
  ["an update of a thread of an unknown graph", `POST /threads/${strange}/state`, { values: {} }, 404, /^Graph "nobody" of thread/],
  ["the state of a thread of an unknown graph", `GET /threads/${strange}/state`, undefined, 404, /^Graph "nobody" of thread/],
  ["an update as an unknown node", `POST /threads/${threadId}/state`, { values: {}, as_node: "nobody" }, 422, /nobody/],
  [
    "an update as a node that every object has",
    `POST /threads/${threadId}/state`,
    { values: {}, as_node: "constructor" },
    422,
    /constructor/,
  ],
  ["an update with a list that is none of pairs", `POST /threads/${threadId}/state`, { values: [1, 2], as_node: "one" }, 422, /\w/],
  ["an update of an unknown checkpoint", `POST /threads/${threadId}/state`, { values: {}, ...nowhere }, 404, /^Checkpoint .+ not found/],
  [
    "an update of an unknown subgraph",
    `POST /threads/${threadId}/state`,
    { values: {}, as_node: "one", checkpoint: noSubgraph },
    404,
    /nobody/,
  ],
  [
    "the state at an unknown checkpoint",
    `POST /threads/${threadId}/state/checkpoint`,
    { checkpoint: nowhere },
    404,
    /^Checkpoint .+ not found/,
  ],
  [
    "a checkpoint of a thread without a graph",
    `GET /threads/${untouched}/state/${randomUUID()}`,
    undefined,
    404,
    /^Checkpoint .+ not found/,
  ],
  ["super-steps without a graph", "POST /threads", { supersteps: [step({ values: {}, as_node: "one" })] }, 400, /has no graph ID/],
  ["super-steps of an unknown node", "POST /threads", withSteps({ values: {}, as_node: "nobody" }), 422, /nobody/],
  ["super-steps with a value that is none", "POST /threads", withSteps({ values: 7, as_node: "one" }), 422, /\w/],
  ["super-steps with a list that is none of pairs", "POST /threads", withSteps({ values: [1, 2], as_node: "one" }), 422, /\w/],
  [
    "bad super-steps for a thread that exists",
    "POST /threads",
    { ...withSteps({ as_node: "nobody" }), thread_id: threadId, if_exists: "do_nothing" },
    422,
    /nobody/,
  ],
  ["an unknown route", "GET /nothing", undefined, 404, /^404 Not Found/],
  ["an unknown method", "PUT /threads", {}, 404, /^404 Not Found/],
  ["a path that is no text", "GET /threads/%E0%A4%A", undefined, 400, /%E0%A4%A/],
  ["a very long id", `GET /assistants/${"x".repeat(3_000)}`, undefined, 414, /too long|maximum/i],
  ["a body that is too large", "POST /threads", { metadata: { text: "x".repeat(600_000) } }, 413, /too large/],
];

function step(update: object) {
  return { updates: [update] };
}

function withSteps(update: object) {
  return { metadata: { graph_id: "steps" }, supersteps: [step({ values: {}, as_node: "one" }), step(update)] };
}

describe("what cannot be met is refused, and nothing of it is done", () => {
  test.each(refusals)("%s", async (_what, route, body, status, sentence) => {
    const before = await countRows();
    const plain = await send(route, body);
    expect({ status: plain.status, text: await plain.text() }).toEqual({ status, text: expect.stringMatching(sentence) });
    const json = await send(route, body, { accept: "application/json" });
    expect({ status: json.status, answer: await json.json() }).toMatchObject({
      status,
      answer: { detail: expect.stringMatching(sentence) },
    });
    expect(await countRows()).toEqual(before);
  });
});

test("an assistant that is deleted while a run of it is created is a conflict", async () => {
  const { assistant_id } = await client.assistants.create({ graphId: "steps" });
  const deleting = await db.connect();
  await deleting.query("begin");
  await deleting.query("delete from assistants where assistant_id = $1", [assistant_id]);
  const creating = send("POST /runs", { assistant_id });
  const waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  await expect.poll(async () => (await db.query(waiting)).rowCount).toBe(1);
  await deleting.query("commit");
  deleting.release();

  const response = await creating;
  expect({ status: response.status, text: await response.text() }).toEqual({
    status: 409,
    text: expect.stringMatching(/^Something that the request refers to was deleted meanwhile/),
  });
});

test("headers that are too large are refused with a sentence", async () => {
  const response = await fetch("/ok", { headers: { "x-large": "x".repeat(20_000) } });
  expect(response.status).toBe(431);
  expect(await response.text()).toMatch(/^The headers are larger than/);
});

test("a request that is not HTTP is refused with a sentence", async () => {
  const { port } = new URL(urls[0] ?? "");
  const broken = request({ port, host: "127.0.0.1", method: "GET", path: "/ok", headers: { "transfer-encoding": "nonsense" } });
  const status = await new Promise((resolve, reject) =>
    broken
      .on("response", ({ statusCode }) => resolve(statusCode))
      .on("error", reject)
      .end(),
  );
  expect(status).toBe(400);
});

function send(route: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const [method = "", path = ""] = route.split(" ");
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  return fetch(path, {
    method,
    ...content,
    headers: { "content-type": "application/json", ...headers },
    signal: AbortSignal.timeout(60_000),
  });
}

async function countRows(): Promise<object> {
  const { rows } = await db.query(`
    select (select count(*) from threads) as threads, (select count(*) from runs) as runs,
           (select count(*) from assistants) as assistants, (select count(*) from checkpoints) as checkpoints`);
  return rows[0];
}
