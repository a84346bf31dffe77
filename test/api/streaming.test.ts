import type { ThreadStream } from "@langchain/langgraph-sdk/client";
import { expect, onTestFinished, test } from "vitest";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";
import { collect, eventually, readEvents, take, type WireEvent } from "../sse.ts";
import { followThread, type ThreadEvent } from "../thread-events.ts";

const { client, fetch, db } = await startTestService();
const model = await startModelServer();

const post = (path: string, body: unknown) => fetch(path, { method: "POST", body: JSON.stringify(body) });
const command = async (threadId: string, method: string, params: unknown) =>
  (await post(`/threads/${threadId}/commands`, { id: 1, method, params })).json();

const follow = (threadId: string, filter: object = {}, runs = 1) => followThread(fetch, threadId, filter, runs);
const told = (events: ThreadEvent[]) =>
  events.map(({ method, params }) => [
    method,
    params.namespace.map((segment) => segment.split(":")[0]).join("/"),
    params.data.event ?? params.node,
  ]);

async function started(assistantId: string, input: unknown): Promise<ThreadStream> {
  const thread = client.threads.stream({ assistantId });
  onTestFinished(() => thread.close());
  await thread.run.start({ input, config: { configurable: { base_url: model.baseUrl } } });
  return thread;
}

test("a client gets every event of a run, whenever the client opens the stream", async () => {
  const thread = await started("steps", { log: ["zero"] });
  const events = await follow(thread.threadId);
  expect(told(events).slice(0, 6)).toEqual([
    ["lifecycle", "", "running"],
    ["checkpoints", "", undefined],
    ["checkpoints", "", undefined],
    ["values", "", undefined],
    ["tasks", "", undefined],
    ["updates", "", "one"],
  ]);
  expect(events.at(-1)?.params.data).toEqual({ event: "completed", graph_name: "steps" });
  expect(await thread.output).toEqual({ log: ["zero", "one", "two", "three"], last: "three" });
  expect(await follow(thread.threadId)).toEqual(events);
});

test("event numbers rise across the runs of a thread, and a client that names a number gets the events after it", async () => {
  const { threadId } = await started("steps", {});
  const [first] = [await follow(threadId)];
  await command(threadId, "run.start", { assistant_id: "steps", input: {} });
  const both = await follow(threadId, {}, 2);
  const numbers = both.map(({ seq }) => seq);
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  expect(both.map(({ event_id }) => event_id)).toEqual(numbers.map(String));
  expect(both.slice(0, first.length)).toEqual(first);
  expect(await follow(threadId, { since: first.at(-1)?.seq })).toEqual(both.slice(first.length));
  expect(await follow(threadId, { since: first[4]?.seq })).toEqual(first.slice(5));
  const body = JSON.stringify({ channels: ["lifecycle"] });
  const back = await fetch(`/threads/${threadId}/stream/events`, {
    method: "POST",
    body,
    headers: { "last-event-id": first[0]?.event_id ?? "" },
  });
  expect((await take(readEvents(back), 1))[0]?.data).toEqual(first.at(-1));
});

test("a stream that is opened before its thread exists gets the thread's events from the first run on", async () => {
  const thread = client.threads.stream({ assistantId: "burst" });
  onTestFinished(() => thread.close());
  const named = await thread.subscribe("custom:ticks");
  const byHand = follow(thread.threadId);
  await thread.run.start({ input: { events: 3, channel: "ticks" } });
  expect(await take(named, 3)).toEqual([0, 1, 2]);
  expect(await byHand).toEqual(await follow(thread.threadId));
});

test("a model's words come as content blocks, its tool calls too", async () => {
  model.script({ toolCall: { id: "call_1", name: "weather", args: { city: "Rome" } } }, { tokens: ["Sun", "ny."] });
  const thread = await started("agent", { messages: [{ role: "user", content: "hi" }] });
  const output = (await thread.output) as { messages: { content: unknown }[] };
  expect(output.messages.at(-1)?.content).toEqual([{ type: "text", text: "Sunny." }]);
  const [call, answer] = await take(thread.messages, 2);
  expect(await collect(call!.toolCalls)).toEqual([{ type: "tool_call", id: "call_1", name: "weather", args: { city: "Rome" } }]);
  expect(await collect(answer!.text)).toEqual(["Sun", "ny."]);
  expect(await answer!.usage).toMatchObject({ total_tokens: 3 });
  const [tool] = await take(thread.toolCalls, 1);
  expect([tool!.name, tool!.input, await tool!.output]).toEqual(["weather", { city: "Rome" }, "sunny in Rome"]);
});

test("the chunks of a model become content blocks, in the state and in the messages", async () => {
  const { threadId } = await started("many-parts", { messages: [] });
  const events = await follow(threadId);
  const call = { type: "tool_call", id: "call_1", name: "look", args: { at: 1 } };
  const spoilt = { type: "invalid_tool_call", id: "call_2", name: "look", args: "{", error: "no JSON" };
  const said = [
    [{ type: "text", text: "look" }, { type: "image", url: "http://a.test/picture.png" }, call, spoilt],
    [{ type: "text", text: "look" }, call, spoilt],
    [{ type: "reasoning", reasoning: "hm", signature: "s" }, call],
  ];
  const inState = (state: unknown) => (state as { messages: { content: unknown }[] }).messages.map(({ content }) => content);
  const last = (method: string) => events.filter((event) => event.method === method).at(-1)?.params.data;
  expect(inState(last("values"))).toEqual(said);
  expect(inState(last("updates"))).toEqual(said);
  expect(inState(last("tasks")?.result)).toEqual(said);
  const finished = events.filter(({ params }) => params.data.event === "content-block-finish").map(({ params }) => params.data.content);
  expect(finished).toEqual(said.flat());
});

test("tools say what they have so far, and why they failed, to classic clients too", async () => {
  const call = (name: string, args: object) => ({ toolCall: { id: `call_${name}`, name, args } });
  model.script(call("forecast", { city: "Rome" }), call("thermometer", {}), { tokens: ["Sunny."] });
  const thread = await started("agent", { messages: [{ role: "user", content: "hi" }] });
  const tools = (await follow(thread.threadId)).filter(({ method }) => method === "tools").map(({ params }) => params.data);
  expect(tools).toMatchObject([
    { event: "tool-started", tool_call_id: "call_forecast", tool_name: "forecast", input: '{"city":"Rome"}' },
    { event: "tool-output-delta", tool_call_id: "call_forecast", delta: "sun over Rome" },
    { event: "tool-output-delta", tool_call_id: "call_forecast", delta: '{"hours":5}' },
    { event: "tool-finished", tool_call_id: "call_forecast", output: { content: "sunny for long" } },
    { event: "tool-started", tool_call_id: "call_thermometer", tool_name: "thermometer" },
    { event: "tool-error", tool_call_id: "call_thermometer", message: "The thermometer is broken." },
  ]);
  const [run] = await client.runs.list(thread.threadId);
  const classic = await collect(client.runs.joinStream(thread.threadId, run!.run_id) as AsyncIterable<WireEvent>);
  expect(classic.map(({ data }) => data)).toContainEqual({
    event: "on_tool_error",
    toolCallId: "call_thermometer",
    name: "thermometer",
    error: { name: "RangeError", message: "The thermometer is broken." },
  });
});

test("subgraphs have a lifecycle and a namespace, by which a client can filter", async () => {
  const { threadId } = await started("nested", { text: "you" });
  const all = await follow(threadId);
  const child = (await follow(threadId, { namespaces: [["child"], []], depth: 0 })).filter(({ params }) => params.namespace.length > 0);
  expect(child).toEqual(all.filter(({ params }) => params.namespace[0]?.startsWith("child:")));
  const depths = async (filter: object) => {
    const namespaces = (await follow(threadId, filter)).map(({ params }) => params.namespace.length);
    return [...new Set(namespaces)].sort();
  };
  expect([await depths({}), await depths({ namespaces: [[]], depth: 0 }), await depths({ namespaces: [[]], depth: 1 })]).toEqual([
    [0, 1],
    [0],
    [0, 1],
  ]);
  expect(told(child).filter(([method]) => method === "lifecycle")).toEqual([
    ["lifecycle", "child", "started"],
    ["lifecycle", "child", "completed"],
  ]);
  expect(child.filter(({ method }) => method === "values").at(-1)?.params.data).toEqual({ text: "HELLO YOU!", childOnly: "seen" });
  const thread = client.threads.stream(threadId, { assistantId: "nested" });
  expect(await thread.agent.getTree({})).toMatchObject({
    tree: { namespace: [], status: "completed", graph_name: "nested", children: [{ status: "completed", graph_name: "child" }] },
  });
});

test("a run that fails says why", async () => {
  const { threadId } = await started("fails", {});
  expect((await follow(threadId)).at(-1)?.params.data).toEqual({ event: "failed", graph_name: "fails", error: "Boo!" });
});

test("a run that is cancelled before its start is streamed as interrupted, in the order of the runs", async () => {
  const ends = (events: ThreadEvent[]) => events.map(({ params }) => params.data.event).filter((event) => event !== "running");
  const threadId = crypto.randomUUID();
  const start = async (input: object) => (await command(threadId, "run.start", { assistant_id: "slow", input })).result.run_id as string;
  const lifecycle = (runs: number) => follow(threadId, { channels: ["lifecycle"], namespaces: [[]], depth: 0 }, runs);
  await db.query("insert into halts default values");
  for (const runId of [await start({}), await start({})]) await client.runs.cancel(threadId, runId);
  const two = await lifecycle(2);
  expect(ends(two)).toEqual(["interrupted", "interrupted"]);
  await db.query("delete from halts");
  const long = await start({ until: 1_000 });
  await eventually(async () => (await client.runs.get(threadId, long)).status).toBe("running");
  const live = lifecycle(5);
  await client.runs.cancel(threadId, await start({}));
  await start({ until: 1 });
  await client.runs.cancel(threadId, long);
  const all = await live;
  expect(all.slice(0, 2)).toEqual(two);
  expect(ends(all)).toEqual(["interrupted", "interrupted", "interrupted", "interrupted", "completed"]);
  expect(await lifecycle(5)).toEqual(all);
  expect(all.map(({ seq }) => seq)).toEqual(all.map(({ seq }) => seq).sort((a, b) => a - b));
});

test("a subgraph that fails and the run around it are both streamed as failed", async () => {
  const { threadId } = await started("nested", { text: "you", fail: true });
  expect(told(await follow(threadId)).filter(([method]) => method === "lifecycle")).toEqual([
    ["lifecycle", "", "running"],
    ["lifecycle", "child", "started"],
    ["lifecycle", "child", "failed"],
    ["lifecycle", "", "failed"],
  ]);
  const { result } = await command(threadId, "agent.getTree", {});
  expect(result).toMatchObject({ tree: { status: "failed", children: [{ graph_name: "child", status: "failed" }] } });
});

test("a question is asked with its place, and answered by input.respond", async () => {
  const thread = await started("nested", { text: "you", ask: true });
  await follow(thread.threadId);
  await eventually(() => thread.interrupted).toBe(true);
  const [asked] = thread.interrupts;
  expect(asked).toMatchObject({ payload: { confirm: "HELLO YOU" }, namespace: [expect.stringMatching(/^child:/)] });
  await thread.input.respond({ namespace: asked!.namespace, interrupt_id: asked!.interruptId, response: "indeed" });
  expect((await follow(thread.threadId, {}, 2)).at(-1)?.params.data.event).toBe("completed");
  expect(await thread.state.get({ namespace: [] })).toMatchObject({ values: { text: "HELLO YOU indeed" } });
});

test("a run that one protocol started can be followed with the other, and runs once", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "steps", { input: { log: ["zero"] }, streamMode: ["values", "tasks"] });
  const [events] = await Promise.all([follow(threadId), client.runs.join(threadId, run.run_id)]);
  expect(told(events).filter(([method]) => method !== "tasks")).toEqual([
    ["lifecycle", "", "running"],
    ...Array.from({ length: 4 }, () => ["values", "", undefined]),
    ["lifecycle", "", "completed"],
  ]);
  const { result } = await command(threadId, "run.start", { assistant_id: "steps", input: {} });
  const classic: WireEvent[] = await collect(client.runs.joinStream(threadId, result.run_id) as AsyncIterable<WireEvent>);
  const updates = (await follow(threadId, { channels: ["updates", "lifecycle"] }, 2)).filter(({ method }) => method === "updates");
  expect(updates.map(({ params }) => ({ [String(params.node)]: params.data }))).toEqual(
    classic.filter(({ event }) => event === "updates").map(({ data }) => data),
  );
});

test("a classic client follows a thread over its runs, and comes back to where it was", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const live = await fetch(`/threads/${threadId}/stream?stream_mode=run_modes&stream_mode=lifecycle`);
  const seen = takeUntil(readEvents(live), ({ event }) => event === "run_done", 2);
  for (let n = 0; n < 2; n++) await client.runs.create(threadId, "steps", { input: {}, streamMode: ["updates"] });
  const events = await seen;
  const oneRun = ["metadata", "lifecycle", "updates", "updates", "updates", "run_done"];
  expect(events.map(({ event }) => event)).toEqual([...oneRun, "lifecycle", ...oneRun]);
  const from = async (lastEventId: string, done: number) =>
    takeUntil(
      client.threads.joinStream(threadId, { lastEventId, streamMode: ["run_modes", "lifecycle"] }) as AsyncIterable<WireEvent>,
      ({ event }) => event === "run_done",
      done,
    );
  expect(await from("-", 2)).toEqual(events);
  for (const at of [0, 3, 5, 6]) expect(await from(events[at]?.id ?? "", at < 5 ? 2 : 1)).toEqual(events.slice(at + 1));
  const states = client.threads.joinStream(threadId, { lastEventId: "-", streamMode: "lifecycle" }) as AsyncIterable<WireEvent>;
  expect((await takeUntil(states, ({ data }) => (data as { event: string }).event === "completed", 1)).at(-1)?.data).toEqual({
    run_id: expect.any(String),
    event: "completed",
  });
});

async function takeUntil<T>(source: AsyncIterable<T>, isLast: (item: T) => boolean, times: number): Promise<T[]> {
  const taken: T[] = [];
  let left = times;
  for await (const item of source) {
    taken.push(item);
    if (isLast(item) && --left === 0) break;
  }
  return taken;
}

test("a client that connects in the middle of many events and a client that reads slowly both get all events", async () => {
  const { threadId } = await started("burst", { events: 8_000, size: 500 });
  const slow = await post(`/threads/${threadId}/stream/events`, { channels: ["custom", "lifecycle"] });
  const unread = readEvents(slow);
  const first = (await unread.next()).value;
  const [early, late] = await Promise.all([follow(threadId), follow(threadId, { channels: ["custom", "lifecycle"] })]);
  expect(early.filter(({ method }) => method === "custom").map(({ params }) => (params.data.payload as { index: number }).index)).toEqual(
    Array.from({ length: 8_000 }, (_, index) => index),
  );
  expect(late).toEqual(early.filter(({ method }) => method === "custom" || method === "lifecycle"));
  const slowly = [first, ...(await take(unread, late.length - 1))];
  expect(slowly.map((event) => event?.data)).toEqual(late);
  const again = await follow(threadId, { channels: ["custom", "lifecycle"], since: late[4_000]?.seq });
  expect(again).toEqual(late.slice(4_001));
});

test("deleting a thread cuts its streams, and a stream that is opened later waits for a new thread with the same id", async () => {
  const { threadId } = await started("steps", {});
  await follow(threadId);
  const response = await post(`/threads/${threadId}/stream/events`, { channels: ["values"] });
  const rest = collect(readEvents(response)).then(
    () => "ended",
    () => "cut",
  );
  await client.threads.delete(threadId);
  expect(await rest).toBe("cut");
  const next = follow(threadId);
  await command(threadId, "run.start", { assistant_id: "steps", input: {} });
  expect((await next).at(-1)?.params.data.event).toBe("completed");
});

test("a broken connection to a model is streamed as an error with the reason", async () => {
  model.script({ tokens: ["Hel", "lo"], breaks: true });
  const { threadId } = await started("agent", { messages: [{ role: "user", content: "hi" }] });
  const said = (await follow(threadId)).filter(({ method }) => method === "messages").map(({ params }) => params.data);
  expect(said.map(({ event }) => event)).not.toContain("message-finish");
  const [run] = await client.runs.list(threadId);
  expect(said.at(-1)).toMatchObject({ event: "error", message: expect.any(String) });
  const classic = await collect(client.runs.joinStream(threadId, run!.run_id) as AsyncIterable<WireEvent>);
  expect(said.at(-1)?.message).toBe(Object(classic.at(-1)?.data).message);
});

test("a channel that this release does not know is passed over", async () => {
  const { threadId } = await started("steps", {});
  const known = await follow(threadId, { channels: ["lifecycle"] });
  expect(await follow(threadId, { channels: ["of-a-later-release", "lifecycle"] })).toEqual(known);
});

test("transformers run with their graph, and what they tell is in the log", async () => {
  const { threadId } = await started("transforming", {});
  const told = (await follow(threadId)).filter(({ method }) => method === "custom").map(({ params }) => params.data);
  expect(told).toEqual([
    { payload: "one" },
    { name: "done", payload: "one" },
    { payload: "two" },
    { name: "done", payload: "two" },
    { name: "total", payload: 2 },
  ]);
  expect(await follow(threadId, { channels: ["custom:done", "lifecycle"] })).toHaveLength(4);
  const classic = await collect(client.runs.stream(null, "transforming", { input: {}, streamMode: "custom" }));
  expect(classic.slice(1).map(({ data }) => data)).toEqual(["one", "secret", "two", "secret"]);
});
