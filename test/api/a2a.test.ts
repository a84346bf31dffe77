import { type Part, TaskState } from "@a2a-js/sdk";
import { describe, expect, test } from "vitest";
import { a2aClient, asTask, collectUpdates, contents, data, sending, text } from "../a2a-client.ts";
import { until } from "../command.ts";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";

const model = await startModelServer();
const { client, urls, fetch, db } = await startTestService();
const { assistant_id: talker } = await client.assistants.create({
  graphId: "agent",
  name: "Talker",
  config: { configurable: { base_url: model.baseUrl } },
});

type Agent = Awaited<ReturnType<typeof a2aClient>>;
const running = [TaskState.TASK_STATE_SUBMITTED, TaskState.TASK_STATE_WORKING];
const taskOf = (agent: Agent, id: string) => agent.getTask({ tenant: "", id });

/** Waits until a task has ended or asks something. Clients of version 0.3 get their task at once. */
async function settled(agent: Agent, id: string) {
  await until(async () => !running.includes((await taskOf(agent, id)).status?.state ?? 0));
  return taskOf(agent, id);
}

async function answerTo(agent: Agent, ...sent: Parameters<typeof sending>) {
  return settled(agent, asTask(await agent.sendMessage(sending(...sent))).id);
}

const rpc = async (assistant: string, body: object, headers: Record<string, string> = {}) => {
  const answer = await fetch(`/a2a/${assistant}`, { method: "POST", body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...body }), headers });
  const said = await answer.text();
  return { status: answer.status, body: said.startsWith("{") ? JSON.parse(said) : said };
};

const runsOf = (threadId: string) => client.runs.list(threadId);

describe.each(["1.0", "0.3"] as const)("the SDK's client of version %s", (version) => {
  test("sends a text, waits for the task and reads it again", async () => {
    model.script({ tokens: ["good ", "day"] });
    const agent = await a2aClient(urls, talker, version);
    const done = await answerTo(agent, [text("hello there")]);
    expect(done.status).toMatchObject({ state: TaskState.TASK_STATE_COMPLETED });
    expect(done.artifacts.map(({ parts }) => contents(parts))).toEqual([["good day"]]);
    expect(done.history.map(({ parts }) => contents(parts))).toEqual([["hello there"], ["good day"]]);
    expect(await client.threads.get(done.contextId)).toMatchObject({ status: "idle" });
    expect(await client.runs.get(done.contextId, done.id)).toMatchObject({ status: "success", assistant_id: talker });
    const short = await agent.getTask({ tenant: "", id: done.id, historyLength: 1 });
    expect(short.history.map(({ parts }) => contents(parts))).toEqual([["good day"]]);
  });

  test("sends data as the input of a graph without messages, and gets the graph's values as data", async () => {
    const agent = await a2aClient(urls, "slow", version);
    const done = await answerTo(agent, [data({ until: 2, tickMs: 1, name: "ann" })]);
    expect(done.artifacts.map(({ parts }) => contents(parts))).toEqual([[{ ticks: 2, until: 2, tickMs: 1, name: "ann", names: ["ann"] }]]);
  });

  test("streams a task: its chunks, its whole artifact and its end", async () => {
    model.script({ tokens: ["one ", "two ", "three"], pauseMs: 20 });
    const agent = await a2aClient(urls, talker, version);
    const updates = await collectUpdates(agent.sendMessageStream(sending([text("count")])));
    expect(updates[0]?.payload).toMatchObject({ $case: "task" });
    const chunks = updates.flatMap(({ payload }) => (payload?.$case === "artifactUpdate" ? [payload.value] : []));
    expect(
      chunks
        .filter(({ lastChunk }) => !lastChunk)
        .flatMap(({ artifact }) => contents(artifact?.parts))
        .join(""),
    ).toBe("one two three");
    expect(chunks.map(({ append }) => append)[0]).toBe(false);
    expect(chunks.at(-1)).toMatchObject({ lastChunk: true, append: false });
    expect(contents(chunks.at(-1)?.artifact?.parts)).toEqual(["one two three"]);
    expect(new Set(chunks.map(({ artifact }) => artifact?.artifactId)).size).toBe(1);
    const states = updates.flatMap(({ payload }) => (payload?.$case === "statusUpdate" ? [payload.value.status?.state] : []));
    expect(states.at(-1)).toBe(TaskState.TASK_STATE_COMPLETED);
  });

  test("answers a question, and the task goes on", async () => {
    const agent = await a2aClient(urls, "review", version);
    const asked = await answerTo(agent, [data({ topic: "rivers" })]);
    expect(asked.status?.state).toBe(TaskState.TASK_STATE_INPUT_REQUIRED);
    expect(contents(asked.status?.message?.parts)).toEqual([{ draft: "On rivers" }]);
    const done = await answerTo(agent, [data({ approved: true })], { taskId: asked.id, contextId: asked.contextId });
    expect(done).toMatchObject({ id: asked.id, contextId: asked.contextId, status: { state: TaskState.TASK_STATE_COMPLETED } });
    expect(contents(done.artifacts[0]?.parts)).toEqual([expect.objectContaining({ published: "On rivers" })]);
    expect(await runsOf(asked.contextId)).toHaveLength(2);
  });

  test("subscribes to a task that another client began, and gets it from its start", async () => {
    model.script({ tokens: ["a ", "b ", "c ", "d"], pauseMs: 150 });
    const agent = await a2aClient(urls, talker, version);
    const { id } = asTask(await agent.sendMessage(sending([text("letters")], { now: true })));
    const read = async () => {
      const updates = await collectUpdates(agent.resubscribeTask({ tenant: "", id }));
      return updates.flatMap(({ payload }) =>
        payload?.$case === "artifactUpdate" && !payload.value.lastChunk ? contents(payload.value.artifact?.parts) : [],
      );
    };
    const all = await Promise.all([read(), read()]);
    expect(all.map((chunks) => chunks.join(""))).toEqual(["a b c d", "a b c d"]);
    await expect(read()).rejects.toThrow(/completed, so it has no further updates/);
  });

  test("cancels a task that runs, and a task that asks", async () => {
    const agent = await a2aClient(urls, "slow", version);
    const { id, contextId } = asTask(await agent.sendMessage(sending([data({ until: 10_000 })], { now: true })));
    await until(async () => (await client.runs.get(contextId, id)).status === "running");
    expect((await agent.cancelTask({ tenant: "", id, metadata: undefined })).status?.state).toBe(TaskState.TASK_STATE_CANCELED);
    expect(await client.runs.get(contextId, id)).toMatchObject({ status: "interrupted" });
    await expect(agent.cancelTask({ tenant: "", id, metadata: undefined })).rejects.toThrow("The task is already canceled.");

    const reviewer = await a2aClient(urls, "review", version);
    const asked = await answerTo(reviewer, [data({ topic: "hills" })]);
    const cancelled = await reviewer.cancelTask({ tenant: "", id: asked.id, metadata: undefined });
    expect(cancelled.status?.state).toBe(TaskState.TASK_STATE_CANCELED);
    expect(await client.threads.get(asked.contextId)).toMatchObject({ status: "idle", interrupts: {} });
    const late = reviewer.sendMessage(sending([data({ approved: true })], { taskId: asked.id }));
    await expect(late).rejects.toThrow("The task is canceled, so it takes no message.");
  });
});

test("the tasks of a context share its thread", async () => {
  model.script({ tokens: ["first"] }, { tokens: ["second"] });
  const agent = await a2aClient(urls, talker, "1.0");
  const one = await answerTo(agent, [text("1")]);
  const two = await answerTo(agent, [text("2")], { contextId: one.contextId });
  expect(two.contextId).toBe(one.contextId);
  expect(two.history.map(({ parts }) => contents(parts))).toEqual([["2"], ["second"]]);
  expect((await taskOf(agent, one.id)).artifacts.map(({ parts }) => contents(parts))).toEqual([["first"]]);
  expect(model.requests.at(-1)?.messages.map(({ content }) => content)).toEqual(["1", "first", "2"]);
});

test("a message that arrives twice makes one task, and so does an answer", async () => {
  const agent = await a2aClient(urls, "review", "1.0");
  const begin = sending([data({ topic: "twice" })]);
  const [one, two] = await Promise.all([agent.sendMessage(begin), agent.sendMessage(begin)]).then((all) => all.map(asTask));
  expect(one?.id).toBe(two?.id);
  const answer = sending([data({ approved: true })], { taskId: one?.id ?? "" });
  const ends = [asTask(await agent.sendMessage(answer)), asTask(await agent.sendMessage(answer))];
  expect(ends.map(({ id, status }) => [id, status?.state])).toEqual(Array(2).fill([one?.id, TaskState.TASK_STATE_COMPLETED]));
  expect(await runsOf(one?.contextId ?? "")).toHaveLength(2);
});

test("of two different answers at once, one continues the task and the other is refused", async () => {
  const agent = await a2aClient(urls, "review", "1.0");
  const asked = await answerTo(agent, [data({ topic: "race" })]);
  const answers = [true, false].map((approved) => agent.sendMessage(sending([data({ approved })], { taskId: asked.id })));
  const results = await Promise.allSettled(answers);
  expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(String(results.find((result) => result.status === "rejected")?.reason)).toContain("so it takes no message");
  expect(await runsOf(asked.contextId)).toHaveLength(2);
});

test("an answer over the API continues the task, and a new run in the context ends its question", async () => {
  const agent = await a2aClient(urls, "review", "1.0");
  const asked = await answerTo(agent, [data({ topic: "both" })]);
  await client.runs.wait(asked.contextId, "review", { command: { resume: { approved: true } } });
  expect((await taskOf(agent, asked.id)).status?.state).toBe(TaskState.TASK_STATE_COMPLETED);

  const left = await answerTo(agent, [data({ topic: "left" })]);
  const next = await answerTo(agent, [data({ topic: "next" })], { contextId: left.contextId });
  expect(next.status?.state).toBe(TaskState.TASK_STATE_INPUT_REQUIRED);
  expect((await taskOf(agent, left.id)).status?.state).toBe(TaskState.TASK_STATE_CANCELED);
  await db.query("update runs set output = null where run_id = any($1)", [[left.id, next.id]]); // as the sweeper does after two minutes
  expect((await taskOf(agent, left.id)).status?.state).toBe(TaskState.TASK_STATE_CANCELED);
  expect((await taskOf(agent, next.id)).status?.state).toBe(TaskState.TASK_STATE_INPUT_REQUIRED);
});

test("several questions are answered by their ids, and a single one with a text", async () => {
  const agent = await a2aClient(urls, "two-questions", "1.0");
  const both = await answerTo(agent, [data({})]);
  const questions = both.status?.message?.parts ?? [];
  expect(contents(questions)).toEqual(expect.arrayContaining([{ question: "name" }, { question: "age" }]));
  const replies = questions.map(({ content, metadata }) => [metadata?.interrupt_id, `my ${content?.value.question}`]);
  const first = await answerTo(agent, [data(Object.fromEntries(replies))], { taskId: both.id });
  expect(contents(first.status?.message?.parts)).toEqual(["first"]);
  const second = await answerTo(agent, [text("one")], { taskId: both.id });
  expect(contents(second.status?.message?.parts)).toEqual(["second"]);
  const done = await answerTo(agent, [text("two")], { taskId: both.id });
  expect(done.status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
  expect(contents(done.artifacts[0]?.parts)).toEqual([
    { answers: expect.arrayContaining(["name my name", "age my age", "first one", "second two"]) },
  ]);
});

test("files reach the model, and the history has them", async () => {
  model.script({ tokens: ["a picture"] });
  const agent = await a2aClient(urls, talker, "1.0");
  const picture = Buffer.from("not really a picture");
  const file = (content: Part["content"]): Part => ({ content, metadata: undefined, filename: "", mediaType: "image/png" });
  const parts = [text("What is this?"), file({ $case: "raw", value: picture }), file({ $case: "url", value: "https://a.test/b.png" })];
  const done = await answerTo(agent, parts);
  expect(model.requests.at(-1)?.messages.at(-1)?.content).toEqual([
    { type: "text", text: "What is this?" },
    { type: "image_url", image_url: expect.objectContaining({ url: `data:image/png;base64,${picture.toString("base64")}` }) },
    { type: "image_url", image_url: expect.objectContaining({ url: "https://a.test/b.png" }) },
  ]);
  expect(done.history[0]?.parts.map(({ content, mediaType }) => [content?.$case, mediaType])).toEqual([
    ["text", "text/plain"],
    ["raw", "image/png"],
    ["url", "image/png"],
  ]);
});

test("a task that takes longer than a second is answered after line feeds, and a client that leaves does not stop it", async () => {
  const message = (until: number) => ({ messageId: crypto.randomUUID(), role: "ROLE_USER", parts: [{ data: { until, tickMs: 1_300 } }] });
  const send = (until: number, signal?: AbortSignal) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "SendMessage", params: { message: message(until) } });
    return fetch("/a2a/slow", { method: "POST", body, ...(signal && { signal }) });
  };
  const answer = await (await send(1)).text();
  expect(answer).toMatch(/^\n+\{/);
  expect(JSON.parse(answer).result.task.status.state).toBe("TASK_STATE_COMPLETED");

  const agent = await a2aClient(urls, "slow", "1.0");
  const leaving = new AbortController();
  const left = await send(2, leaving.signal);
  leaving.abort();
  await left.text().catch(() => {});
  const { tasks } = await agent.listTasks({ tenant: "", contextId: "", status: 0, pageToken: "", statusTimestampAfter: undefined });
  const [newest] = tasks;
  expect((await settled(agent, newest?.id ?? "")).status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
});

test("a failed task tells why", async () => {
  const agent = await a2aClient(urls, "fails", "1.0");
  const failed = await answerTo(agent, [data({})]);
  expect(failed.status?.state).toBe(TaskState.TASK_STATE_FAILED);
  expect(String(contents(failed.status?.message?.parts)[0])).not.toBe("");
});

test("tasks are listed by their last change, page by page and by state", async () => {
  const { assistant_id: own } = await client.assistants.create({ graphId: "review", name: "Listed" });
  const agent = await a2aClient(urls, own, "1.0");
  const all = [];
  for (const topic of ["a", "b", "c", "d", "e"]) all.unshift(await answerTo(agent, [data({ topic })]));
  const answered = await answerTo(agent, [data({ approved: false })], { taskId: all[4]?.id ?? "" });
  const order = [answered.id, ...all.slice(0, 4).map(({ id }) => id)];
  const empty = { tenant: "", contextId: "", status: 0, pageToken: "", statusTimestampAfter: undefined };

  const pages: string[][] = [];
  for (let pageToken = "", more = true; more; ) {
    const page = await agent.listTasks({ ...empty, pageSize: 2, pageToken });
    pages.push(page.tasks.map(({ id }) => id));
    expect(page.totalSize).toBe(5);
    ({ nextPageToken: pageToken } = page);
    more = pageToken !== "";
  }
  expect(pages).toEqual([order.slice(0, 2), order.slice(2, 4), order.slice(4)]);

  const found = async (search: object) => (await agent.listTasks({ ...empty, ...search })).tasks.map(({ id }) => id);
  expect(await found({ status: TaskState.TASK_STATE_COMPLETED })).toEqual([answered.id]);
  expect(await found({ status: TaskState.TASK_STATE_INPUT_REQUIRED })).toEqual(order.slice(1));
  expect(await found({ status: TaskState.TASK_STATE_AUTH_REQUIRED })).toEqual([]);
  expect(await found({ contextId: answered.contextId })).toEqual([answered.id]);
  expect(await found({ statusTimestampAfter: answered.status?.timestamp })).toEqual([answered.id]);
  const [listed] = (await agent.listTasks({ ...empty, contextId: answered.contextId, includeArtifacts: true })).tasks;
  expect(contents(listed?.artifacts[0]?.parts)).toEqual([expect.objectContaining({ published: null })]);
  await expect(found({ pageToken: "nonsense" })).rejects.toThrow("pageToken");
  await expect(found({ pageSize: 101 })).rejects.toThrow("pageSize");
});

test("the card names the assistant, both versions and an address that works", async () => {
  const headers = { "a2a-version": "1.0" };
  const [named, own, old] = await Promise.all([
    fetch(`/.well-known/agent-card.json?assistant_id=${talker}`, { headers }).then((answer) => answer.json()),
    fetch(`/a2a/${talker}/.well-known/agent-card.json`, { headers }).then((answer) => answer.json()),
    fetch(`/a2a/${talker}/.well-known/agent-card.json`, { headers: { "x-forwarded-proto": "https" } }).then((answer) => answer.json()),
  ]);
  expect(named.supportedInterfaces.map(({ protocolVersion }: { protocolVersion: string }) => protocolVersion)).toEqual(["1.0", "0.3"]);
  expect(named).toMatchObject({ name: "Talker", capabilities: { streaming: true, extendedAgentCard: true } });
  expect(own.name).toBe("Talker");
  expect(old).toMatchObject({ name: "Talker", protocolVersion: expect.stringMatching(/^0\.3/), preferredTransport: "JSONRPC" });
  expect(old.url).toMatch(new RegExp(`^https://127.0.0.1:\\d+/a2a/${talker}$`));
  const agent = await a2aClient(urls, talker, "1.0");
  expect(await agent.getAgentCard()).toMatchObject({ name: "Talker" });
  expect((await fetch("/.well-known/agent-card.json")).status).toBe(422);
  expect((await fetch("/.well-known/agent-card.json?assistant_id=nobody")).status).toBe(404);
});

test("the protocol's errors have the protocol's codes", async () => {
  const code = async (body: object, headers?: Record<string, string>) => (await rpc("review", body, headers)).body.error?.code;
  const id = crypto.randomUUID();
  expect(await code({ method: "GetTask", params: { id } })).toBe(-32001);
  expect(await code({ method: "tasks/get", params: { id } })).toBe(-32001);
  expect(await code({ method: "GetTask", params: { id: "no-uuid" } })).toBe(-32001);
  expect(await code({ method: "Dance", params: {} })).toBe(-32601);
  expect(await code({ method: "Dance", params: {} }, { "a2a-version": "1.0" })).toBe(-32601);
  expect(await code({ method: "GetTask", params: { id } }, { "a2a-version": "2.0" })).toBe(-32009);
  expect(await code({ method: "SendMessage", params: {} })).toBe(-32602);
  expect(await code({ method: "SendMessage", params: { message: { messageId: "m", parts: [] } } })).toBe(-32602);
  const say = (parts: object[], more = {}) => ({ method: "SendMessage", params: { message: { messageId: "m", parts, ...more } } });
  expect((await rpc("described", say([{ text: "talk" }]))).body.error).toMatchObject({
    code: -32005,
    message: expect.stringContaining("Its keys are: city, people."),
  });
  expect(await code(say([{ data: {} }], { contextId: "mine" }))).toBe(-32602);
  expect(await code(say([{ data: {} }], { taskId: id }))).toBe(-32001);
  expect((await rpc("nobody", say([{ text: "hi" }]))).status).toBe(404);
  expect((await rpc("review", { jsonrpc: "1.0" })).status).toBe(200);
});
