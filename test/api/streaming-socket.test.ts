import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { startTestService } from "../service.ts";
import { eventually, streamsOpenAt } from "../sse.ts";

const { client, urls } = await startTestService({ ENSEMBLE_STALLED_CLIENT_SECS: "1", ENSEMBLE_BODY_LIMIT_MB: "2" });

type Frame = Record<string, unknown> & { type: string };

/** Opens a WebSocket without the SDK, for tests about single frames. */
async function open(threadId: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(`${urls[0]?.replace("http", "ws")}/threads/${threadId}/stream/events`, { headers });
  onTestFinished(() => socket.terminate());
  const frames: Frame[] = [];
  let seen = () => {};
  socket.on("message", (data) => {
    frames.push(JSON.parse(String(data)));
    seen();
  });
  await once(socket, "open");
  const until = async (fact: (frames: Frame[]) => boolean) => {
    while (!fact(frames)) await new Promise<void>((resolve) => (seen = resolve));
    return frames;
  };
  let id = 0;
  return {
    socket,
    frames,
    until,
    async command(method: string, params: unknown): Promise<Frame> {
      const own = ++id;
      socket.send(JSON.stringify({ id: own, method, params }));
      return (await until((all) => all.some((frame) => frame.id === own))).find((frame) => frame.id === own) as Frame;
    },
  };
}

const lifecycle = (frames: Frame[]) =>
  frames.flatMap((frame) => {
    const { data, namespace } = (frame.params ?? {}) as { data?: { event?: string }; namespace?: string[] };
    return frame.method === "lifecycle" && namespace?.length === 0 ? [data?.event] : [];
  });

test("the SDK's socket starts runs, follows them and answers", async () => {
  const thread = client.threads.stream({ assistantId: "review", transport: "websocket" });
  onTestFinished(() => thread.close());
  await thread.run.start({ input: { topic: "rivers" } });
  expect(await thread.output).toMatchObject({ topic: "rivers", draft: "On rivers" });
  await eventually(() => thread.interrupts.length).toBe(1);
  const values = await thread.subscribe(["values", "lifecycle"]);
  await thread.input.respond({ namespace: [], interrupt_id: thread.interrupts[0]!.interruptId, response: { approved: true } });
  for await (const event of values)
    if (event.method === "lifecycle" && (event.params.data as { event: string }).event === "completed") break;
  expect((await client.threads.getState(thread.threadId)).values).toMatchObject({ published: "On rivers" });
});

test("a subscription may precede its thread, covers all its runs, and is answered before its first event", async () => {
  const { command, until, frames } = await open(crypto.randomUUID());
  const answer = await command("subscription.subscribe", { channels: ["lifecycle"] });
  expect(answer).toMatchObject({ type: "success", result: { subscription_id: expect.any(String) } });
  await command("run.start", { assistant_id: "steps", input: {} });
  await command("run.start", { assistant_id: "steps", input: {} });
  await until((all) => lifecycle(all).length === 4);
  expect(lifecycle(frames)).toEqual(["running", "completed", "running", "completed"]);
  expect(frames[0]).toEqual(answer);
  const { subscription_id } = answer.result as { subscription_id: string };
  expect(await command("subscription.unsubscribe", { subscription_id })).toMatchObject({ type: "success" });
  expect(await command("subscription.unsubscribe", { subscription_id })).toMatchObject({ error: "no_such_subscription" });
  expect(await command("subscription.reconnect", { run_id: "x" })).toMatchObject({ error: "not_supported" });
});

test("the headers with which a socket was opened reach the graphs that it starts", async () => {
  const threadId = crypto.randomUUID();
  const { command, until } = await open(threadId, { "x-who": "me", "x-api-key": "secret" });
  await command("subscription.subscribe", { channels: ["lifecycle"] });
  await command("run.start", { assistant_id: "mirror", input: {} });
  await until((all) => lifecycle(all).includes("completed"));
  const { configurable } = (await client.threads.getState<{ seen: { configurable: object } }>(threadId)).values.seen;
  expect(configurable).toMatchObject({ "x-who": "me" });
  expect(configurable).not.toHaveProperty("x-api-key");
});

test("an event that several subscriptions match comes once and in order, and a later subscription gets earlier events", async () => {
  const { command, until, socket } = await open(crypto.randomUUID());
  for (const [id, channels] of [
    ["values", "lifecycle"],
    ["lifecycle", "updates"],
  ].entries())
    socket.send(JSON.stringify({ id: 100 + id, method: "subscription.subscribe", params: { channels } }));
  await command("run.start", { assistant_id: "steps", input: { log: [] } });
  const frames = [...(await until((all) => lifecycle(all).includes("completed")))];
  const methods = frames.flatMap(({ method }) => method ?? []);
  expect(methods).toEqual(["lifecycle", "values", ...["updates", "values", "updates", "values", "updates", "values"], "lifecycle"]);
  const numbers = frames.flatMap(({ seq }) => (typeof seq === "number" ? [seq] : []));
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  await command("subscription.subscribe", { channels: ["tasks", "lifecycle"] });
  const all = await until((now) => lifecycle(now).filter((event) => event === "completed").length === 2);
  const missed = all.slice(frames.length).flatMap(({ method }) => method ?? []);
  expect(missed).toEqual(["lifecycle", ...Array(6).fill("tasks"), "lifecycle"]);
});

test("a frame that is not a command is answered with an error, and the socket stays open", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const { socket, until, command } = await open(threadId);
  const badOnes = [
    "{bad",
    "",
    "7",
    "null",
    "[]",
    '{"id":-1,"method":"run.start"}',
    '{"id":1.5,"method":"run.start"}',
    '{"id":"1","method":"run.start"}',
    '{"method":"run.start"}',
    '{"id":99}',
    `${"[".repeat(5_000)}${"]".repeat(5_000)}`,
    Buffer.from("{}"),
  ];
  for (const bad of badOnes) socket.send(bad);
  const frames = await until((all) => all.length === badOnes.length);
  expect(frames[0]).toEqual({ type: "error", id: null, error: "invalid_argument", message: "Protocol commands must be valid JSON." });
  for (const frame of frames) expect(frame).toMatchObject({ type: "error", error: "invalid_argument", message: expect.any(String) });
  expect(await command("__proto__", {})).toMatchObject({ error: "unknown_command" });
  expect(await command("constructor", {})).toMatchObject({ error: "unknown_command" });
  expect(await command("subscription.subscribe", { channels: [7] })).toMatchObject({ error: "invalid_argument" });
  expect(await command("state.get", { namespace: [] })).toMatchObject({ type: "success", result: { values: {} } });
});

test("a flood of commands is answered in order, each once", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const { socket, until } = await open(threadId);
  for (let id = 0; id < 500; id++) socket.send(JSON.stringify({ id, method: "state.get", params: {} }));
  const frames = await until((all) => all.length === 500);
  expect(frames.map(({ id }) => id)).toEqual(Array.from({ length: 500 }, (_, id) => id));
});

test("a frame that is too large closes only the socket that sent it", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const [large, other] = [await open(threadId), await open(threadId)];
  const closed = once(large.socket, "close");
  large.socket.send("x".repeat(3_000_000));
  expect((await closed)[0]).toBe(1009);
  expect(await other.command("state.get", {})).toMatchObject({ type: "success" });
});

test("a socket has so many subscriptions and no more", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const { command } = await open(threadId);
  for (let n = 0; n < 50; n++) expect(await command("subscription.subscribe", { channels: ["values"] })).toMatchObject({ type: "success" });
  expect(await command("subscription.subscribe", { channels: ["values"] })).toMatchObject({ error: "invalid_argument" });
});

test("without an upgrade the address says what it is for, and an upgrade to anything else is passed over", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const plain = await fetch(`${urls[0]}/threads/${threadId}/stream/events`);
  expect([plain.status, plain.headers.get("upgrade")]).toEqual([426, "websocket"]);
  const asking = request(`${urls[0]}/ok`, { headers: { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AA" } });
  const [answer] = (await once(asking.end(), "response")) as [IncomingMessage];
  answer.resume();
  expect(answer.statusCode).toBe(200);
});

test("a socket whose client does not read is cut after a while, without an effect on other clients", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const [slow, fast] = [await open(threadId), await open(threadId)];
  for (const { command } of [slow, fast]) await command("subscription.subscribe", { channels: ["custom", "lifecycle"] });
  const closed = once(slow.socket, "close");
  slow.socket.pause();
  await fast.command("run.start", { assistant_id: "burst", input: { events: 8_000, size: 2_000 } });
  await fast.until((frames) => lifecycle(frames).includes("completed"));
  expect(fast.frames.filter(({ method }) => method === "custom")).toHaveLength(8_000);
  const numbers = fast.frames.flatMap(({ seq }) => (typeof seq === "number" ? [seq] : []));
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  await eventually(async () => streamsOpenAt(urls[0])).toBe(1); // the fast client is still connected
  slow.socket.resume(); // only a socket that is being read learns that it was closed
  await closed;
  expect(lifecycle(slow.frames)).not.toContain("completed");
});

test("the answer to a subscription says how many events are told again", async () => {
  const threadId = crypto.randomUUID();
  const first = await open(threadId);
  const replayed = (answer: Frame) => (answer.result as { replayed_events: number }).replayed_events;
  expect(replayed(await first.command("subscription.subscribe", { channels: ["lifecycle"] }))).toBe(0);
  for (let run = 1; run <= 2; run++) {
    await first.command("run.start", { assistant_id: "steps", input: {} });
    await first.until((all) => lifecycle(all).length === 2 * run);
  }
  const events = first.frames.filter(({ type }) => type === "event");
  const second = await open(threadId);
  expect(replayed(await second.command("subscription.subscribe", { channels: ["lifecycle"] }))).toBe(4);
  expect(replayed(await second.command("subscription.subscribe", { channels: ["lifecycle"], since: events[1]?.seq }))).toBe(2);
  expect(replayed(await second.command("subscription.subscribe", { channels: ["tools"] }))).toBe(0);
  await second.until((all) => lifecycle(all).length >= 4);
});
