import { expect, test } from "vitest";
import { startModelServer } from "../model-server.ts";
import { clientFor, startTestService } from "../service.ts";
import { collect, eventually, readEvents, readFrames } from "../sse.ts";

const { client, fetch, db, urls } = await startTestService();
const model = await startModelServer();

const post = (path: string, body: unknown) => fetch(path, { method: "POST", body: JSON.stringify(body) });
const speak = { input: { messages: [{ role: "user", content: "hi", id: "h1" }] }, config: { configurable: { base_url: model.baseUrl } } };

test("a stream is metadata, then what was asked for, with ids from 0 on, and nothing else", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const response = await post(`/threads/${threadId}/runs/stream`, { assistant_id: "steps", input: { log: ["zero"] } });
  const events = await collect(readEvents(response));
  const run = response.headers.get("content-location")?.split("/").at(-1);

  expect(response.headers.get("content-type")).toBe("text/event-stream");
  expect(response.headers.get("location")).toBe(`/threads/${threadId}/runs/${run}/stream`);
  expect(response.headers.get("cache-control")).toBe("no-cache, no-transform");
  expect(response.headers.get("x-accel-buffering")).toBe("no");
  expect(events.map(({ event }) => event)).toEqual(["metadata", "values", "values", "values", "values"]);
  expect(events.map(({ id }) => id)).toEqual(["0", "1", "2", "3", "4"]);
  expect(events[0]?.data).toEqual({ run_id: run, attempt: 1 });
  expect(events.at(-1)?.data).toEqual({ log: ["zero", "one", "two", "three"], last: "three" });
});

const waitingForLock = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

/** Waits for the poll that an API's feed makes every second. No notification is sent for this event, so only the poll finds it. */
async function untilFeedLooks(fetchThere: typeof fetch): Promise<void> {
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "steps", { input: {}, afterSeconds: 3_600 });
  const events = readEvents(await fetchThere(`/threads/${threadId}/runs/${runId}/stream`));
  await db.query("insert into run_events (run_id, id, event, data) values ($1, 0, 'custom', '{}')", [runId]);
  await events.next();
  await client.runs.cancel(threadId, runId);
}

test("a run that takes long to be made is followed all the same, from its first event", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const holder = await db.connect();
  await holder.query("begin");
  await holder.query("select from threads where thread_id = $1 for update", [threadId]);
  const api = clientFor(urls.slice(0, 1)); // each API has its own feed
  const body = JSON.stringify({ assistant_id: "steps", input: { log: ["zero"] } });
  const answer = api.fetch(`/threads/${threadId}/runs/stream`, { method: "POST", body });
  await eventually(async () => (await db.query(waitingForLock)).rowCount).toBe(1);
  await untilFeedLooks(api.fetch);
  await holder.query("commit");
  holder.release();
  const events = await collect(readEvents(await answer));
  expect(events.map(({ event }) => event)).toEqual(["metadata", "values", "values", "values", "values"]);
});

test("a frame is event, data, id, and the first bytes come at once", async () => {
  const response = await post("/runs/stream", { assistant_id: "slow", input: { until: 1, tickMs: 300 } });
  const frames = readFrames(response);
  const first = (await frames.next()).value;
  expect(first).toMatch(/^: heartbeat\nevent: metadata\ndata: \{"run_id":"[0-9a-f-]+","attempt":1\}\nid: 0$/);
  await collect(frames);
});

test("the run and its thread are final before the stream ends", async () => {
  const { thread_id: threadId } = await client.threads.create();
  for (let n = 0; n < 5; n++) {
    await collect(client.runs.stream(threadId, "steps", { input: {} }));
    const [thread, [run]] = await Promise.all([client.threads.get(threadId), client.runs.list(threadId, { limit: 1 })]);
    expect([thread.status, run?.status]).toEqual(["idle", "success"]);
  }
});

test("updates, custom, tasks, checkpoints and debug carry what LangGraph says", async () => {
  const events = await collect(
    client.runs.stream(null, "slow", {
      input: { until: 1, tickMs: 1 },
      streamMode: ["updates", "custom", "tasks", "checkpoints", "debug"],
    }),
  );
  const of = (name: string) => events.filter(({ event }) => event === name).map(({ data }) => data as Record<string, unknown>);
  expect(of("updates")).toEqual([{ note: { names: [] } }, { tick: { ticks: 1 } }]);
  expect(of("custom")).toEqual([{ ticking: true }]);
  expect(of("tasks")[0]).toMatchObject({ name: "note", triggers: ["branch:to:note"], interrupts: [] });
  expect(of("tasks").at(-1)).toMatchObject({ name: "tick", result: { ticks: 1 } });
  expect(of("checkpoints")[0]).toMatchObject({ next: ["__start__"], metadata: { source: "input", step: -1 } });
  const { configurable } = Object(of("checkpoints")[0]).config;
  expect(Object.keys(configurable).filter((key) => key.startsWith("__"))).toEqual([]);
  expect(of("debug").map(({ type }) => type)).toContain("task_result");
  expect(of("debug")[0]).toMatchObject({ type: "checkpoint", payload: { checkpoint: { checkpoint_ns: "" }, parent_checkpoint: null } });
});

test("messages come as accumulated partials and once complete", async () => {
  model.script({ tokens: ["Hel", "lo"] });
  const events = await collect(client.runs.stream(null, "agent", { ...speak, streamMode: "messages" }));
  const names = events.map(({ event }) => event);
  expect(names.slice(0, 3)).toEqual(["metadata", "messages/complete", "messages/metadata"]);
  expect(names.at(-1)).toBe("messages/complete");
  const partial = events
    .filter(({ event }) => (event as string) === "messages/partial")
    .map(({ data }) => (data as unknown as { content: string }[])[0]?.content);
  expect(partial.at(-1)).toBe("Hello");
  expect(partial).toContain("Hel");
  expect(events.at(-1)?.data).toMatchObject([{ type: "ai", content: "Hello" }]);
});

test("messages-tuple carries each token with its metadata", async () => {
  model.script({ tokens: ["Hel", "lo"] });
  const events = await collect(client.runs.stream(null, "agent", { ...speak, streamMode: "messages-tuple", metadata: { mine: true } }));
  const tokens = events
    .filter(({ event }) => event === "messages")
    .map(({ data }) => data as unknown as [{ content: string; type: string }, Record<string, unknown>]);
  expect(tokens.map(([message]) => message.content).join("")).toBe("Hello");
  expect(tokens[0]?.[0].type).toBe("ai");
  expect(tokens[0]?.[1]).toMatchObject({ langgraph_node: "model", graph_id: "agent", mine: true, run_attempt: 1 });
});

test("tools and events show what happens inside", async () => {
  model.script({ toolCall: { id: "call_1", name: "weather", args: { city: "Rome" } } }, { tokens: ["Sunny."] });
  const events = await collect(
    client.runs.stream(null, "agent", { ...speak, streamMode: ["tools", "events", "values"] as unknown as ["events", "values"] }),
  );
  const tools = events.filter(({ event }) => (event as string) === "tools").map(({ data }) => data as unknown as Record<string, unknown>);
  expect(tools.map(({ event }) => event)).toEqual(["on_tool_start", "on_tool_end"]);
  expect(tools[1]).toMatchObject({ name: "weather", toolCallId: "call_1", output: { type: "tool", content: "sunny in Rome" } });
  const inner = events.filter(({ event }) => event === "events").map(({ data }) => (data as { event: string }).event);
  expect(inner).toEqual(expect.arrayContaining(["on_chain_start", "on_chat_model_stream", "on_tool_end", "on_chain_end"]));
  expect(events.at(-1)).toMatchObject({ event: expect.stringMatching(/values|events/) });
  const last = events.filter(({ event }) => event === "values").at(-1)?.data as { messages: { content: string }[] };
  expect(last.messages.at(-1)?.content).toBe("Sunny.");
});

test("subgraphs speak under their namespace when they are asked to", async () => {
  const quiet = await collect(client.runs.stream(null, "nested", { input: { text: "you" }, streamMode: ["updates"] }));
  expect(quiet.map(({ event }) => event)).toEqual(["metadata", "updates", "updates"]);
  const loud = await collect(
    client.runs.stream(null, "nested", { input: { text: "you" }, streamMode: ["updates"], streamSubgraphs: true }),
  );
  const names = loud.map(({ event }) => event as string);
  expect(names.filter((name) => /^updates\|child:[0-9a-f-]{36}$/.test(name))).toHaveLength(2);
  expect(names.filter((name) => name === "updates")).toHaveLength(2);
});

test("an error is the last event, and the answer stays 200", async () => {
  const response = await post("/runs/stream", { assistant_id: "fails", input: {} });
  const events = await collect(readEvents(response));
  expect(response.status).toBe(200);
  expect(events.at(-1)).toMatchObject({ event: "error", data: { error: "CustomError", message: "Boo!" } });
});

test("late joiners, many at once, get all that they missed", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "slow", { input: { until: 6, tickMs: 40 }, streamMode: ["updates"] });
  const streams = await Promise.all(Array.from({ length: 5 }, () => collect(client.runs.joinStream(threadId, run.run_id))));
  for (const events of streams) {
    expect(events.map(({ id }) => id)).toEqual(["0", "1", "2", "3", "4", "5", "6", "7"]);
    expect(events).toEqual(streams[0]);
  }
  expect(await collect(client.runs.joinStream(threadId, run.run_id))).toEqual(streams[0]);
});

test("Last-Event-ID says where to go on, while the run runs and after", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "slow", {
    input: { until: 4, tickMs: 40 },
    streamMode: ["updates"],
    streamResumable: true,
  });
  const idsAfter = async (lastEventId?: string) =>
    (await collect(client.runs.joinStream(threadId, run.run_id, { lastEventId }))).map(({ id }) => id);
  expect(await idsAfter("2")).toEqual(["3", "4", "5"]);
  expect(await idsAfter("-1")).toEqual(["0", "1", "2", "3", "4", "5"]);
  expect(await idsAfter()).toEqual(["0", "1", "2", "3", "4", "5"]);
  expect(await idsAfter("4")).toEqual(["5"]);
  expect(await idsAfter("99")).toEqual([]);
});

test("a joiner can choose stream modes", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "steps", { input: {}, streamMode: ["updates", "values", "tasks"] });
  const events = await collect(client.runs.joinStream(threadId, run.run_id, { streamMode: ["updates"] }));
  expect(events.map(({ event }) => event)).toEqual(["metadata", "updates", "updates", "updates"]);
});

test("a stateless run can be joined by its own id", async () => {
  const run = await client.runs.create(null, "steps", { input: {}, streamMode: ["updates"] });
  const events = await collect(client.runs.joinStream(null, run.run_id));
  expect(events.map(({ event }) => event)).toEqual(["metadata", "updates", "updates", "updates"]);
});

test("100,000 events arrive complete and in order", async () => {
  const response = await post("/runs/stream", { assistant_id: "burst", input: { events: 100_000 }, stream_mode: ["custom"] });
  let next = -1;
  for await (const { event, data, id } of readEvents(response)) {
    if (event === "custom") expect((data as { index: number }).index).toBe(next);
    expect(id).toBe(String(++next));
  }
  expect(next).toBe(100_000);
});

test("graphs inside that emit at once all go on when the log has room again", async () => {
  const events = await collect(client.runs.stream(null, "bursts", { input: { events: 2_000, size: 1_000 }, streamMode: ["custom"] }));
  expect(events.filter(({ event }) => event === "custom")).toHaveLength(16_000);
});

test("a client that reads slowly gets every event and does not delay a fast client", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "burst", { input: { events: 5_000, size: 1_000 }, streamMode: ["custom"] });
  const slow = readEvents(await fetch(`/threads/${threadId}/runs/${run.run_id}/stream`));
  await slow.next();
  const fast = await collect(client.runs.joinStream(threadId, run.run_id));
  expect(fast).toHaveLength(5_001);
  expect(await collect(slow)).toHaveLength(5_000);
});

test("events that LangChain marks as hidden are not streamed", async () => {
  const events = await collect(client.runs.stream(null, "steps", { input: {}, streamMode: "events" }));
  const tagged = events.filter(({ event }) => event === "events").map(({ data }) => data as { tags?: string[] });
  expect(tagged.length).toBeGreaterThan(0);
  expect(tagged.filter(({ tags }) => tags?.includes("langsmith:hidden"))).toEqual([]);
});

test("with subgraphs each values event follows the checkpoint it belongs to, unless checkpoints were asked for", async () => {
  const streamed = async (streamMode: ("values" | "updates" | "checkpoints")[], streamSubgraphs: boolean) =>
    collect(client.runs.stream(null, "nested", { input: { text: "you" }, streamMode, streamSubgraphs }));
  const events = await streamed(["values"], true);
  const pairs = events.slice(1).map(({ event }) => (event as string).replace(/:.*/, ""));
  expect(pairs).toEqual(
    pairs.map((_, index) => (index % 2 === 0 ? expect.stringMatching(/^checkpoints/) : pairs[index - 1]?.replace("checkpoints", "values"))),
  );
  expect(pairs).toContain("checkpoints|child");
  expect(events[1]?.data).toEqual({ id: expect.any(String), parent_id: expect.any(String), step: 0, source: "loop" });
  expect(events[3]?.data).toMatchObject({ parent_id: Object(events[1]?.data).id, step: 1, source: "loop" });

  const names = async (modes: Parameters<typeof streamed>[0], subgraphs: boolean) =>
    new Set((await streamed(modes, subgraphs)).map(({ event }) => (event as string).split("|")[0]));
  expect(await names(["updates"], true)).toEqual(new Set(["metadata", "updates"]));
  expect(await names(["values"], false)).toEqual(new Set(["metadata", "values"]));
  const full = await streamed(["values", "checkpoints"], true);
  const checkpoints = full.filter(({ event }) => (event as string).startsWith("checkpoints"));
  expect(checkpoints.every(({ data }) => "values" in Object(data))).toBe(true);
});

test("the messages mode names its events without a namespace, with subgraphs too", async () => {
  for (const graph of ["agent", "agent-inside"]) {
    model.script({ tokens: ["Hel", "lo"] });
    const events = await collect(client.runs.stream(null, graph, { ...speak, streamMode: "messages", streamSubgraphs: true }));
    const names = new Set(events.map(({ event }) => event as string).filter((event) => event.startsWith("messages")));
    expect(names).toEqual(new Set(["messages/complete", "messages/metadata", "messages/partial"]));
    const complete = events
      .filter(({ event }) => (event as string) === "messages/complete")
      .flatMap(({ data }) => data as unknown as object[]);
    expect(complete).toMatchObject([{ type: "human" }, { type: "ai", content: "Hello" }]);
  }
});

test("an empty list of stream modes means values", async () => {
  const response = await post("/runs/stream", { assistant_id: "steps", input: {}, stream_mode: [] });
  expect(new Set((await collect(readEvents(response))).map(({ event }) => event))).toEqual(new Set(["metadata", "values"]));
});

test("a joiner that sends an empty stream mode, as the Python SDK does, gets every mode", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "steps", { input: {}, streamMode: ["updates", "values"] });
  const response = await fetch(`/threads/${threadId}/runs/${run.run_id}/stream?cancel_on_disconnect=false&stream_mode=`);
  expect(response.status).toBe(200);
  expect(new Set((await collect(readEvents(response))).map(({ event }) => event))).toEqual(new Set(["metadata", "updates", "values"]));
});
