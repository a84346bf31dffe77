import { expect, onTestFinished, test } from "vitest";
import { startTestService } from "../service.ts";
import { eventually } from "../sse.ts";
import { followThread } from "../thread-events.ts";

const { client, fetch, db } = await startTestService({ ENSEMBLE_STREAMS_PER_RUN: "3" });

const post = (path: string, body: unknown) => fetch(path, { method: "POST", body: JSON.stringify(body) });

interface Answer {
  type: "success" | "error";
  id: number;
  result: Record<string, unknown>;
  error?: string;
  message?: string;
  meta: { thread_id: string; applied_through_seq: number };
}

async function command(threadId: string, method: string, params: unknown): Promise<Answer> {
  const response = await post(`/threads/${threadId}/commands`, { id: 7, method, params });
  expect(response.status).toBe(200);
  return response.json() as Promise<Answer>;
}

/** Creates a thread on which a graph has run until its end or its questions. Returns the thread's id. */
async function ran(assistantId: string, input: unknown): Promise<string> {
  const threadId = crypto.randomUUID();
  await command(threadId, "run.start", { assistant_id: assistantId, input });
  await followThread(fetch, threadId, { channels: ["lifecycle"] });
  return threadId;
}

const finished = (threadId: string, runs: number) => followThread(fetch, threadId, { channels: ["lifecycle"] }, runs);

test("run.start makes the thread, and says up to where the thread had come before", async () => {
  const threadId = crypto.randomUUID();
  const first = await command(threadId, "run.start", { assistant_id: "steps", input: {} });
  expect(first).toEqual({
    type: "success",
    id: 7,
    result: { run_id: expect.any(String) },
    meta: { thread_id: threadId, applied_through_seq: 0 },
  });
  const events = await finished(threadId, 1);
  const second = await command(threadId, "run.start", { assistant_id: "steps", input: {} });
  expect(second.meta.applied_through_seq).toBeGreaterThanOrEqual(events.at(-1)?.seq ?? Number.POSITIVE_INFINITY);
  expect((await finished(threadId, 2)).at(2)?.seq).toBeGreaterThan(second.meta.applied_through_seq);
});

test("a caller's own headers reach the graph, secrets do not", async () => {
  const threadId = crypto.randomUUID();
  await fetch(`/threads/${threadId}/commands`, {
    method: "POST",
    headers: { "x-who": "me", "x-where": "here", "x-api-key": "secret", "user-agent": "tester" },
    body: JSON.stringify({
      id: 1,
      method: "run.start",
      params: { assistant_id: "mirror", input: {}, config: { configurable: { "x-where": "there" } } },
    }),
  });
  await finished(threadId, 1);
  const { configurable } = (await client.threads.getState<{ seen: { configurable: object } }>(threadId)).values.seen;
  expect(configurable).toMatchObject({ "x-who": "me", "x-where": "there", "user-agent": "tester" });
  expect(configurable).not.toHaveProperty("x-api-key");
});

test("on a thread that asks, the input of run.start is the answer", async () => {
  const threadId = await ran("review", { topic: "rivers" });
  await command(threadId, "run.start", { assistant_id: "review", input: { approved: true } });
  await finished(threadId, 2);
  expect((await client.threads.getState(threadId)).values).toMatchObject({ published: "On rivers", asked: 1 });
});

test("input.respond answers several questions at once and refuses an unknown question", async () => {
  const threadId = await ran("two-questions", {});
  const { interrupts } = await client.threads.get(threadId);
  const questions = Object.values(interrupts).flat() as { id: string; value: { question: string } }[];
  const answer = (id: string, response: unknown) => ({ namespace: [], interrupt_id: id, response });
  expect(await command(threadId, "input.respond", answer("f".repeat(32), 1))).toMatchObject({ error: "no_such_interrupt" });
  expect(await command(threadId, "input.respond", { namespace: [], response: 1 })).toMatchObject({
    error: "invalid_argument",
    message: expect.stringContaining("input.respond requires an interrupt_id"),
  });
  const responses = questions.map(({ id, value }) => answer(id, value.question));
  expect(await command(threadId, "input.respond", { responses })).toMatchObject({ type: "success", result: {} });
  await finished(threadId, 2);
  const { values } = await client.threads.getState<{ answers: string[] }>(threadId);
  expect(values.answers.sort()).toEqual(["age age", "name name"]);
});

test("an answer may change the state, go elsewhere, and say how its run is to be made", async () => {
  const threadId = await ran("review", { topic: "rivers" });
  const [question] = Object.values((await client.threads.get(threadId)).interrupts).flat();
  await command(threadId, "input.respond", {
    namespace: [],
    interrupt_id: question!.id,
    response: { approved: true },
    update: { topic: "lakes" },
    goto: ["write"],
    config: { tags: ["answered"], configurable: { who: "me" } },
    metadata: { by: "me" },
  });
  await finished(threadId, 2);
  const { values, next } = await client.threads.getState(threadId);
  expect(values).toMatchObject({ topic: "lakes", draft: "On lakes", published: "On rivers", asked: 1 });
  expect(next).toEqual(["review"]); // the node wrote another draft, so it asks again
  const [run] = await client.runs.list(threadId);
  expect(run).toMatchObject({ metadata: { by: "me" }, kwargs: { config: { tags: ["answered"], configurable: { who: "me" } } } });
});

test("an answer that the question's schema refuses leaves the question open", async () => {
  const threadId = await ran("survey", { questions: [{ prompt: "colour", schema: { type: "string" } }] });
  const [question] = Object.values((await client.threads.get(threadId)).interrupts).flat();
  const refused = await command(threadId, "input.respond", { namespace: [], interrupt_id: question!.id, response: 7 });
  expect(refused).toMatchObject({ type: "error", error: "invalid_argument", message: expect.stringContaining("command.resume") });
  expect(await client.threads.get(threadId)).toMatchObject({ status: "interrupted" });
  expect(await client.runs.list(threadId)).toHaveLength(1);
});

test("commands that need a run are refused on a thread without a run", async () => {
  const { thread_id: empty } = await client.threads.create();
  for (const [method, params] of Object.entries({
    "input.respond": { namespace: [], interrupt_id: "x", response: 1 },
    "input.inject": { namespace: [], message: { role: "user", content: "x" } },
    "agent.getTree": {},
    "state.fork": { checkpoint_id: "x" },
  }))
    expect([method, (await command(empty, method, params)).error]).toEqual([method, "no_such_run"]);
  const done = await ran("steps", {});
  expect(await command(done, "input.respond", { namespace: [], interrupt_id: "x", response: 1 })).toMatchObject({
    error: "invalid_argument",
    message: expect.stringContaining("can only be used while the run is interrupted"),
  });
  expect(await command(done, "input.inject", { namespace: [], message: { role: "user", content: "x" } })).toMatchObject({
    error: "no_such_run",
  });
  expect(await command(done, "agent.getTree", { run_id: crypto.randomUUID() })).toMatchObject({ error: "no_such_run" });
});

test("checkpoints are listed in pages, and a fork goes on from one of them", async () => {
  const threadId = await ran("steps", { log: ["zero"] });
  const list = async (params: object) =>
    (await command(threadId, "state.listCheckpoints", params)).result.checkpoints as { id: string; step: number; timestamp: string }[];
  const all = await list({});
  expect(all.map(({ step }) => step)).toEqual([3, 2, 1, 0, -1]);
  expect(await list({ limit: 2, before: all[1]?.id })).toEqual(all.slice(2, 4));
  const forked = await command(threadId, "state.fork", { checkpoint_id: all[2]?.id });
  expect(forked).toMatchObject({ type: "success", result: { run_id: expect.any(String), thread_id: threadId } });
  await finished(threadId, 2);
  expect((await client.threads.getState(threadId)).values).toMatchObject({ log: ["zero", "one", "two", "three"] });
  expect(await command(threadId, "state.fork", { checkpoint_id: crypto.randomUUID() })).toMatchObject({ error: "no_such_checkpoint" });
  const elsewhere = { assistant_id: "steps", input: {}, config: { configurable: { checkpoint_id: "nowhere" } } };
  expect(await command(threadId, "run.start", elsewhere)).toMatchObject({ error: "no_such_checkpoint" });
});

test("run.start goes on from an earlier checkpoint when its config names one, with an input or without", async () => {
  const threadId = await ran("steps", { log: ["zero"] });
  const { checkpoints } = (await command(threadId, "state.listCheckpoints", {})).result as { checkpoints: { id: string; step: number }[] };
  const fork = (step: number, input: unknown) => {
    const checkpoint_id = checkpoints.find((one) => one.step === step)?.id;
    return command(threadId, "run.start", { assistant_id: "steps", input, config: { configurable: { checkpoint_id } } });
  };
  expect(await fork(1, null)).toMatchObject({ type: "success", result: { run_id: expect.any(String) } });
  await finished(threadId, 2);
  const log = async () => (await client.threads.getState<{ log: string[] }>(threadId)).values.log;
  expect(await log()).toEqual(["zero", "one", "two", "three"]);
  await fork(1, { log: ["again"] });
  await finished(threadId, 3);
  expect(await log()).toEqual(["zero", "one", "again", "one", "two", "three"]);
  await command(threadId, "run.start", { assistant_id: "steps", input: {} }); // the checkpoint applied to that run, and not to the thread
  await finished(threadId, 4);
  expect((await log()).slice(-6)).toEqual(["one", "two", "three", "one", "two", "three"]);
});

const strategies = {
  reject: { answer: "error", first: "success", runs: 1, ends: ["completed"] },
  enqueue: { answer: "success", first: "success", runs: 2, ends: ["completed", "completed"] },
  interrupt: { answer: "success", first: "interrupted", runs: 2, ends: ["interrupted", "completed"] },
  rollback: { answer: "success", first: undefined, runs: 1, ends: ["completed"] },
} as const;

test.each(Object.entries(strategies))("run.start on a busy thread does as its multitaskStrategy says: %s", async (strategy, expected) => {
  const threadId = crypto.randomUUID();
  const start = (until: number, more: object = {}) =>
    command(threadId, "run.start", { assistant_id: "slow", input: { until, tickMs: 100 }, ...more });
  const first = (await start(5)).result.run_id as string;
  await eventually(async () => (await client.runs.get(threadId, first)).status).toBe("running");
  const second = await start(1, { multitaskStrategy: strategy });
  expect(second.type).toBe(expected.answer);
  const statusOf = (runId: string) =>
    client.runs.get(threadId, runId).then(
      ({ status }) => status,
      () => undefined,
    );
  await eventually(() => statusOf(first)).toBe(expected.first);
  const ends = (await finished(threadId, expected.ends.length)).filter(
    ({ params: { namespace, data } }) => namespace.length === 0 && data.event !== "running",
  );
  expect(ends.map(({ params }) => params.data.event)).toEqual(expected.ends);
  expect(await client.runs.list(threadId)).toHaveLength(expected.runs);
});

test("state.get reads the thread, some of its keys, or a graph inside", async () => {
  const threadId = await ran("nested", { text: "you", ask: true });
  expect((await command(threadId, "state.get", { namespace: [], keys: ["text", "__proto__"] })).result).toMatchObject({
    values: { text: "hello you" },
    checkpoint: { id: expect.any(String), ns: "" },
  });
  const tree = (await command(threadId, "agent.getTree", {})).result.tree as { status: string; children: { namespace: string[] }[] };
  expect(tree.status).toBe("interrupted");
  const inside = await command(threadId, "state.get", { namespace: tree.children[0]?.namespace });
  expect(inside.result.values).toMatchObject({ text: "HELLO YOU", childOnly: "seen" });
  expect(await command(threadId, "state.get", { namespace: ["nobody:1"] })).toMatchObject({ error: "no_such_namespace" });
  expect(await command(threadId, "state.listCheckpoints", { namespace: ["nobody:1"] })).toMatchObject({ error: "no_such_namespace" });
});

test("a message that is handed to a running graph is taken when the run is done", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await command(threadId, "run.start", { assistant_id: "slow", input: { until: 3, tickMs: 100 } });
  const message = { role: "user", content: "hurry" };
  expect(await command(threadId, "input.inject", { namespace: [], message })).toMatchObject({ type: "success", result: {} });
  expect(await command(threadId, "input.inject", { namespace: ["inner"], message })).toMatchObject({ error: "not_supported" });
  await finished(threadId, 2);
  const [injected] = await client.runs.list(threadId);
  expect(injected).toMatchObject({ status: "success", kwargs: { input: { messages: [{ type: "human", content: "hurry" }] } } });
});

test("a thread stays with the assistant of its first run", async () => {
  const threadId = await ran("steps", {});
  expect(await command(threadId, "run.start", { assistant_id: "nested", input: { text: "x" } })).toMatchObject({
    error: "invalid_argument",
  });
  expect(await client.runs.list(threadId)).toHaveLength(1);
});

test("commands that are not as they should be are answered with what is wrong, and nothing is stored", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const before = await db.query("select count(*) from runs");
  const bad: [string, unknown][] = [
    ["run.start", null],
    ["run.start", []],
    ["run.start", { assistant_id: 7 }],
    ["run.start", { assistant_id: "steps", config: [] }],
    ["run.start", { assistant_id: "steps", config: { recursion_limit: 0 } }],
    ["run.start", { assistant_id: "steps", metadata: "x" }],
    ["run.start", { assistant_id: "steps", multitaskStrategy: "whenever" }],
    ["run.start", { assistant_id: "steps", input: { lg_name: "Command", goto: [7] } }],
    ["input.respond", { responses: [] }],
    ["input.respond", { responses: [{}] }],
    ["input.inject", { message: { role: "robot", content: "x" } }],
    ["state.get", { namespace: "x" }],
    ["state.get", { keys: [7] }],
    ["state.listCheckpoints", { limit: 0 }],
    ["state.listCheckpoints", { before: 7 }],
    ["state.fork", {}],
    ["state.fork", { checkpoint_id: "a\u0000b" }],
    ["agent.getTree", { run_id: "x" }],
  ];
  for (const [method, params] of bad)
    expect([method, params, (await command(threadId, method, params)).error]).toEqual([method, params, "invalid_argument"]);
  for (const method of ["nonsense", "__proto__", "toString", "run.start "])
    expect((await command(threadId, method, {})).error).toBe("unknown_command");
  expect((await command(threadId, "subscription.subscribe", { channels: ["values"] })).error).toBe("not_supported");
  expect((await post(`/threads/${threadId}/commands`, { id: 1, method: "run.start", params: { assistant_id: "nobody" } })).status).toBe(
    404,
  );
  const nowhere = crypto.randomUUID();
  const unknown = await post(`/threads/${nowhere}/commands`, { id: 9, method: "state.get" });
  expect([unknown.status, await unknown.json()]).toMatchObject([
    200,
    { type: "error", id: 9, error: "no_such_run", message: `Thread with ID ${nowhere} not found` },
  ]);
  expect((await db.query("select count(*) from runs")).rows).toEqual(before.rows);
});

test("a thread has so many followers and no more, and a place that is left is free", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const open = () => post(`/threads/${threadId}/stream/events`, { channels: ["values"] });
  const followers = [await open(), await open(), await open()];
  onTestFinished(async () => void (await Promise.all(followers.map(({ body }) => body?.cancel()))));
  const statuses = new Set([...followers, await open()].map(({ status }) => status));
  expect([...statuses].filter((status) => status !== 200 && status !== 429)).toEqual([]);
  const isFull = async () => {
    const one = await open();
    await one.body?.cancel();
    return one.status === 429;
  };
  if (process.env.ENSEMBLE_TEST_TOPOLOGY !== "split") expect(await isFull()).toBe(true);
  await followers.pop()?.body?.cancel();
  await eventually(isFull).toBe(false);
});

test("a command that is sent again with its Idempotency-Key is carried out once, also when the question is answered by then", async () => {
  const threadId = await ran("review", { topic: "rivers" });
  const [question] = Object.values((await client.threads.get(threadId)).interrupts).flat();
  const params = { namespace: [], interrupt_id: question!.id, response: { approved: true } };
  const send = (id: number, more: object = {}) =>
    fetch(`/threads/${threadId}/commands`, {
      method: "POST",
      headers: { "idempotency-key": `answer to ${question!.id}`.replaceAll(" ", "-") },
      body: JSON.stringify({ id, method: "input.respond", params: { ...params, ...more } }),
    }).then((response) => response.json() as Promise<Answer>);
  const together = await Promise.all(Array.from({ length: 8 }, (_, id) => send(id)));
  await finished(threadId, 2);
  for (const answer of [...together, await send(8)]) expect(answer).toMatchObject({ type: "success" });
  expect(await send(9, { response: { approved: false } })).toMatchObject({ error: "invalid_argument" });
  expect(await client.runs.list(threadId)).toHaveLength(2);
});
