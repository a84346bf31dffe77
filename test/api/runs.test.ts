import { expect, test } from "vitest";
import { sql } from "../../src/db/sql.ts";
import { startTestService } from "../service.ts";

const { client, fetch, db } = await startTestService();
const unknown = "00000000-0000-4000-8000-000000000000";

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });

test("a run on a thread runs, is listed, and leaves its values", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "steps", { input: {}, metadata: { why: "test" } });
  expect(run).toMatchObject({ thread_id: threadId, status: "pending", multitask_strategy: "enqueue", metadata: { why: "test" } });
  expect(Object(run).kwargs).toMatchObject({
    input: {},
    stream_mode: ["values"],
    config: { configurable: { graph_id: "steps", run_id: run.run_id } },
  });

  expect(await client.runs.join(threadId, run.run_id)).toEqual({ log: ["one", "two", "three"], last: "three" });
  expect(await client.runs.get(threadId, run.run_id)).toMatchObject({ status: "success" });
  expect(await client.threads.get(threadId)).toMatchObject({
    status: "idle",
    values: { last: "three" },
    interrupts: {},
    metadata: { graph_id: "steps" },
  });
  expect(await client.runs.list(threadId)).toMatchObject([{ run_id: run.run_id }]);
  expect(await client.runs.list(threadId, { status: "error" })).toEqual([]);
});

test("a run that streamed no values is answered with what it left, also when its thread has moved on", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "steps", { input: {}, streamMode: "updates" });
  const left = { log: ["one", "two", "three"], last: "three" };
  expect(await client.runs.join(threadId, run.run_id)).toEqual(left);
  const stored = await db.query(sql`select output from runs where run_id = ${run.run_id}`);
  expect(stored.rows).toEqual([{ output: null }]); // the thread has the output

  await client.threads.updateState(threadId, { values: { last: "more" } });
  const next = await client.runs.wait(threadId, "steps", { input: {} });
  expect(next).toEqual({ log: [...left.log, ...left.log], last: "three" });
  expect(await client.runs.join(threadId, run.run_id)).toEqual(left);

  await client.threads.prune([threadId], { strategy: "keep_latest" });
  expect(await client.runs.join(threadId, run.run_id)).toEqual(next);
});

test("many simultaneous runs each get their own answer, and a run that cannot be created does not affect the others", async () => {
  const ask = (n: number) =>
    post("/runs/wait", {
      assistant_id: n % 7 === 3 ? "nobody" : "mirror",
      input: { anything: n === 5 ? "long ".repeat(10_000) : n },
      metadata: { n, odd: "\u0000" },
      on_completion: "keep",
    });
  const answers = await Promise.all(Array.from({ length: 40 }, async (_, n) => ({ n, response: await ask(n) })));
  for (const { n, response } of answers) {
    expect(response.status).toBe(n % 7 === 3 ? 404 : 200);
    if (response.ok) expect(await response.json()).toMatchObject({ anything: n === 5 ? "long ".repeat(10_000) : n });
  }
  const [thread] = await client.threads.search({ metadata: { n: 6 } });
  expect(thread).toMatchObject({ status: "idle", metadata: { n: 6, graph_id: "mirror" }, values: { anything: 6 } });
});

test("runs are listed newest first, paged, with the fields asked for", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const runs = [];
  for (let n = 0; n < 3; n++) runs.push(await client.runs.create(threadId, "steps", { input: {} }));
  await client.runs.join(threadId, runs[2]!.run_id);
  const ids = (await client.runs.list(threadId)).map(({ run_id }) => run_id);
  expect(ids).toEqual(runs.map(({ run_id }) => run_id).reverse());
  expect(await client.runs.list(threadId, { limit: 1, offset: 1, select: ["run_id", "status"] })).toEqual([
    { run_id: ids[1], status: "success" },
  ]);
});

test("the answer names the run in its headers", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const response = await post(`/threads/${threadId}/runs`, { assistant_id: "steps", input: {} });
  const run = await response.json();
  expect(response.headers.get("content-location")).toBe(`/threads/${threadId}/runs/${run.run_id}`);
  const wait = await post("/runs/wait", { assistant_id: "steps", input: {} });
  expect(wait.headers.get("content-location")).toMatch(/^\/runs\/[0-9a-f-]{36}$/);
  await wait.text();
});

test("a failed run says so everywhere", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await expect(client.runs.wait(threadId, "fails", { input: {} })).rejects.toThrow("CustomError: Boo!");
  const [run] = await client.runs.list(threadId);
  expect(run).toMatchObject({ status: "error" });
  const thread = await client.threads.get(threadId);
  expect(thread).toMatchObject({ status: "error", values: { done: "work" } });
  const state = await client.threads.getState(threadId);
  expect(JSON.parse(state.tasks[0]?.error ?? "")).toEqual({ message: "Boo!", name: "CustomError" });
  expect(await client.runs.join(threadId, run!.run_id)).toEqual({ __error__: { error: "CustomError", message: "Boo!" } });
});

test("a node that cannot reach something fails its run, once: that is not the database's trouble", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await expect(client.runs.wait(threadId, "offline", { input: {} })).rejects.toThrow("connection refused");
  const [run] = await client.runs.list(threadId);
  expect(run).toMatchObject({ status: "error" });
  const { rows } = await db.query("select attempt from runs where run_id = $1", [run!.run_id]);
  expect(rows).toEqual([{ attempt: 1 }]);
});

test("a run that does not come to an end by itself is stopped by the recursion limit", async () => {
  const waiting = client.runs.wait(null, "slow", { input: { until: 99, tickMs: 1 }, config: { recursion_limit: 4 } });
  await expect(waiting).rejects.toThrow("GraphRecursionError");
});

test("unknown assistants, threads and runs are 404 with the sentence clients match on", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await expect(client.runs.create(threadId, "nope", {})).rejects.toThrow('HTTP 404: No assistant found for "nope"');
  await expect(client.runs.create(unknown, "steps", {})).rejects.toThrow(`HTTP 404: Thread with ID ${unknown} not found`);
  await expect(client.runs.get(threadId, unknown)).rejects.toThrow("HTTP 404: Run not found");
  await expect(client.runs.join(threadId, unknown)).rejects.toThrow("HTTP 404: Run not found");
  await expect(client.runs.cancel(threadId, unknown)).rejects.toThrow("HTTP 404: Run not found");
  expect(await client.runs.list(threadId)).toEqual([]);
});

test("a missing thread is made when asked for", async () => {
  const threadId = crypto.randomUUID();
  await client.runs.wait(threadId, "steps", { input: {}, ifNotExists: "create", metadata: { from: "run" } });
  expect(await client.threads.get(threadId)).toMatchObject({ status: "idle", metadata: { graph_id: "steps", from: "run" } });
});

test("configuration comes from the assistant, the thread's earlier runs and the run, the run last", async () => {
  const assistant = await client.assistants.create({
    graphId: "mirror",
    config: { tags: ["a"], configurable: { x: "assistant", y: "assistant" } },
    context: { c: 1 },
  });
  const { thread_id: threadId } = await client.threads.create();
  type Seen = { seen: { configurable: Record<string, unknown>; context: unknown; tags: string[]; metadata: Record<string, unknown> } };
  const first = (await client.runs.wait(threadId, assistant.assistant_id, {
    input: {},
    config: { tags: ["r"], configurable: { y: "run", z: "run" } },
    context: { d: 2 },
  })) as Seen;
  expect(first.seen.configurable).toMatchObject({ x: "assistant", y: "run", z: "run", thread_id: threadId, graph_id: "mirror" });
  expect(first.seen.context).toEqual({ c: 1, d: 2 });
  expect(first.seen.tags).toEqual(expect.arrayContaining(["a", "r"]));

  const second = (await client.runs.wait(threadId, assistant.assistant_id, { input: {}, metadata: { m: 1 } })) as Seen;
  expect(second.seen.configurable).toMatchObject({ y: "run", z: "run" });
  expect(second.seen.metadata).toMatchObject({ m: 1, run_attempt: 1 });
});

test("a caller's own headers reach the graph, secrets do not", async () => {
  const response = await post(
    "/runs/wait",
    { assistant_id: "mirror", input: {} },
    { "x-who": "me", "x-api-key": "secret", "user-agent": "tester" },
  );
  const { seen } = JSON.parse(await response.text());
  expect(seen.configurable).toMatchObject({ "x-who": "me", "user-agent": "tester" });
  expect(seen.configurable).not.toHaveProperty("x-api-key");
});

test("two runs of one graph at once never see each other's configuration", async () => {
  const seen = await Promise.all(
    Array.from({ length: 12 }, async (_, n) => {
      const { seen } = (await client.runs.wait(null, "mirror", { input: {}, config: { configurable: { n } } })) as {
        seen: { configurable: { n: number } };
      };
      return seen.configurable.n;
    }),
  );
  expect(seen).toEqual(Array.from({ length: 12 }, (_, n) => n));
});

test("a run can be put off", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const before = Date.now();
  const run = await client.runs.create(threadId, "steps", { input: {}, afterSeconds: 1 });
  expect(await client.threads.get(threadId)).toMatchObject({ status: "busy" });
  await client.runs.join(threadId, run.run_id);
  expect(Date.now() - before).toBeGreaterThanOrEqual(1_000);
});

test("a run deleted with its checkpoints takes the thread back to where it was", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "steps", { input: {} });
  await client.runs.wait(threadId, "steps", { input: {} });
  const [newest] = await client.runs.list(threadId);
  await client.runs.delete(threadId, newest!.run_id);
  await expect(client.runs.get(threadId, newest!.run_id)).rejects.toThrow("HTTP 404");
  expect((await client.threads.get(threadId)).values).toMatchObject({ log: ["one", "two", "three"] });
  expect((await client.threads.getState(threadId)).values).toMatchObject({ log: ["one", "two", "three"] });
});

test("a batch makes all of its runs, or none", async () => {
  const runs = await client.runs.createBatch([
    { assistantId: "steps", input: {} },
    { assistantId: "slow", input: { until: 1, tickMs: 1 } },
  ]);
  expect(runs).toHaveLength(2);
  const count = async () => Number((await db.query("select count(*) from runs")).rows[0].count);
  const before = await count();
  await expect(client.runs.createBatch([{ assistantId: "steps" }, { assistantId: "nope" }])).rejects.toThrow("HTTP 404");
  expect(await count()).toBe(before);
});

test("a stateless run leaves no thread to be seen, unless it is kept", async () => {
  const run = await client.runs.create(null, "steps", { input: {} });
  const joined = await fetch(`/threads/${run.thread_id}/runs/${run.run_id}/join`);
  expect(await joined.json()).toMatchObject({ last: "three" });
  await expect(client.threads.get(run.thread_id)).rejects.toThrow("HTTP 404");
  expect(await client.threads.search({ ids: [run.thread_id] })).toEqual([]);

  const kept = await client.runs.create(null, "steps", { input: {}, onCompletion: "keep" as "complete" });
  await client.runs.join(kept.thread_id, kept.run_id);
  expect(await client.threads.get(kept.thread_id)).toMatchObject({ values: { last: "three" } });
});

test.each([
  ["bigint", "value.deep[1].total holds a BigInt"],
  ["function", "value.callback holds a function"],
  ["symbol", "value[0] holds a symbol"],
  ["cycle", "value.self.again holds a reference to itself"],
  ["buffer", "value.bytes holds a nested Buffer"],
  ["floats", "value.vector holds a nested Float32Array"],
])("a node that writes a %s fails with its name and the place", async (kind, place) => {
  const { thread_id: threadId } = await client.threads.create();
  await expect(client.runs.wait(threadId, "unstorable", { input: { kind } })).rejects.toThrow(
    `Node "produce" wrote a value that cannot be stored: ${place}`,
  );
  const state = await client.threads.getState(threadId);
  expect(state).toMatchObject({ values: { before: "prepared" }, next: ["produce"] });
  expect(state.values).not.toHaveProperty("value");
});

test("what JSON can say is stored as JSON has it, NUL characters and lone surrogates too", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "unstorable", { input: { kind: "fine" } });
  const { values } = await client.threads.getState<{ value: Record<string, unknown> }>(threadId);
  expect(values.value).toMatchObject({ date: "1970-01-01T00:00:00.000Z", nan: null, nul: "a\u0000b", lone: "\ud800" });
  expect((await client.threads.get(threadId)).values).toMatchObject({ value: { nul: "a\u0000b", lone: "\ud800" } });
});

test("every run of a thread, also the first, has the graph and the assistant in its metadata", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const first = await client.runs.create(threadId, "steps", { input: {}, metadata: { mine: true } });
  await client.runs.join(threadId, first.run_id);
  const second = await client.runs.create(threadId, "steps", { input: {} });
  const ofGraph = { graph_id: "steps", assistant_id: first.assistant_id, created_by: "system" };
  expect([first.metadata, second.metadata]).toEqual([{ ...ofGraph, mine: true }, ofGraph]);
});
