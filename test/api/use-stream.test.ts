import { fileURLToPath } from "node:url";
import { Client } from "@langchain/langgraph-sdk";
import { useStream } from "@langchain/react";
import { expect, onTestFinished, test } from "vitest";
import { startModelServer } from "../model-server.ts";
import { mount } from "../react-page.ts";
import { startTestService } from "../service.ts";
import { eventually } from "../sse.ts";

const { client, urls, db } = await startTestService();
const guarded = await startTestService({ ENSEMBLE_CONFIG: fileURLToPath(new URL("../graphs/with-auth/langgraph.json", import.meta.url)) });
const model = await startModelServer();
const config = { configurable: { base_url: model.baseUrl } };

const transports = ["sse", "websocket"] as const;
const options = (assistantId: string, transport: (typeof transports)[number], threadId?: string) => ({
  apiUrl: urls[0] ?? "",
  assistantId,
  transport,
  ...(threadId && { threadId }),
});

test.each(transports)("useStream speaks with a model and its tools, and shows the same after a reload (%s)", async (transport) => {
  model.script({ toolCall: { id: "call_1", name: "weather", args: { city: "Rome" } } }, { tokens: ["Sun", "ny."] });
  const page = mount(() => useStream(options("agent", transport)));
  await eventually(() => page.now.isThreadLoading).toBe(false);
  void page.now.submit({ messages: [{ type: "human", content: "hi" }] }, { config });
  await eventually(() => page.now.messages.at(-1)?.text).toBe("Sunny.");
  await eventually(() => page.now.isLoading).toBe(false);
  const types = page.now.messages.map(({ type, id }) => [type, id]);
  expect(types.map(([type]) => type)).toEqual(["human", "ai", "tool", "ai"]);
  expect(page.now.toolCalls).toMatchObject([{ name: "weather", args: { city: "Rome" }, output: "sunny in Rome", status: "finished" }]);
  const threadId = page.now.threadId ?? "";
  const reloaded = mount(() => useStream(options("agent", transport, threadId)));
  await eventually(() => reloaded.now.messages.map(({ type, id }) => [type, id])).toEqual(types);
  expect(reloaded.now.isLoading).toBe(false);
});

test.each(transports)("useStream shows what is more than a text, and is the same after a reload (%s)", async (transport) => {
  type Shown = { id?: string; contentBlocks: unknown[]; tool_calls?: unknown; invalid_tool_calls?: unknown[] };
  // In the stream, invalid tool calls are content blocks. In a state, they are next to the content.
  const shown = (messages: unknown[]) =>
    (messages as Shown[]).map(({ id, contentBlocks, tool_calls, invalid_tool_calls = [] }) => [
      id,
      [...contentBlocks, ...invalid_tool_calls],
      tool_calls,
    ]);
  const page = mount(() => useStream(options("many-parts", transport)));
  await eventually(() => page.now.isThreadLoading).toBe(false);
  void page.now.submit({ messages: [{ type: "human", content: "hi" }] });
  await eventually(() => page.now.messages.length).toBe(4);
  await eventually(() => page.now.isLoading).toBe(false);
  const live = shown(page.now.messages);
  const reloaded = mount(() => useStream(options("many-parts", transport, page.now.threadId ?? "")));
  await eventually(() => reloaded.now.messages.length).toBe(4);
  expect(live).toEqual(shown(reloaded.now.messages));
});

test.each(transports)("useStream asks and is answered, also on a page that comes later (%s)", async (transport) => {
  const page = mount(() => useStream<{ topic: string; published: string | null }>(options("review", transport)));
  await eventually(() => page.now.isThreadLoading).toBe(false);
  void page.now.submit({ topic: "rivers" });
  await eventually(() => page.now.interrupt?.value).toEqual({ draft: "On rivers" });
  await eventually(() => page.now.isLoading).toBe(false);
  const later = mount(() => useStream<{ published: string | null }>(options("review", transport, page.now.threadId ?? "")));
  await eventually(() => later.now.interrupt?.value).toEqual({ draft: "On rivers" });
  void later.now.respond({ approved: true }, { interruptId: later.now.interrupt?.id ?? "" });
  await eventually(() => later.now.values.published).toBe("On rivers");
  await eventually(() => page.now.values.published).toBe("On rivers"); // a client that only watches also receives the values
  await eventually(() => [page.now.isLoading, later.now.isLoading]).toEqual([false, false]);
  expect(await client.runs.list(page.now.threadId ?? "")).toHaveLength(2);
});

test("useStream authenticates as its user, and other users do not see the thread", async () => {
  const headersOf = (name: string) => ({ defaultHeaders: { authorization: `Bearer ${name}` } });
  const own = { ...options("review", "sse"), ...headersOf("alice"), apiUrl: guarded.urls[0] ?? "" };
  const page = mount(() => useStream<{ topic: string; published: string | null }>(own));
  await eventually(() => page.now.isThreadLoading).toBe(false);
  void page.now.submit({ topic: "rivers" });
  await eventually(() => page.now.interrupt?.value).toEqual({ draft: "On rivers" });
  void page.now.respond({ approved: true }, { interruptId: page.now.interrupt?.id ?? "" });
  await eventually(() => page.now.values.published).toBe("On rivers");
  const threadId = page.now.threadId ?? "";
  const [alice, bob] = ["alice", "bob"].map((name) => new Client({ apiUrl: own.apiUrl, apiKey: null, ...headersOf(name) }));
  expect((await alice?.threads.get(threadId))?.metadata).toMatchObject({ owner: "alice" });
  await expect(bob?.threads.get(threadId)).rejects.toThrow("HTTP 404");
});

test.each(transports)("useStream shows the graphs inside, and which of them failed (%s)", async (transport) => {
  const page = mount(() => useStream<{ text: string; fail: boolean }>(options("nested", transport)));
  const statuses = () => [...page.now.subgraphs.values()].map(({ nodeName, status }) => [nodeName, status]);
  await eventually(() => page.now.isThreadLoading).toBe(false);
  void page.now.submit({ text: "you", fail: true });
  await eventually(statuses).toEqual([["child", "error"]]);
  await eventually(() => page.now.isLoading).toBe(false);
  expect(page.now.error).toMatchObject({ message: "The child is broken." });
});

test.each(transports)("useStream does not wait for a run that was cancelled before it began (%s)", async (transport) => {
  await db.query("insert into halts default values");
  onTestFinished(async () => void (await db.query("delete from halts")));
  const page = mount(() => useStream<{ topic: string }>(options("review", transport)));
  await eventually(() => page.now.isThreadLoading).toBe(false);
  void page.now.submit({ topic: "rivers" });
  const threadId = () => page.now.threadId ?? "";
  await eventually(async () => page.now.threadId && (await client.runs.list(threadId()).catch(() => [])).length).toBe(1);
  expect(page.now.isLoading).toBe(true);
  const [run] = await client.runs.list(threadId());
  await client.runs.cancel(threadId(), run!.run_id);
  await eventually(() => page.now.isLoading).toBe(false);
  expect([page.now.error, page.now.interrupts]).toEqual([undefined, []]);
});

test.each(transports)("useStream stops a run, and starts another (%s)", async (transport) => {
  const page = mount(() => useStream<{ ticks: number; until: number; tickMs: number }>(options("slow", transport)));
  await eventually(() => page.now.isThreadLoading).toBe(false);
  void page.now.submit({ until: 1_000, tickMs: 50 });
  await eventually(() => (page.now.values.ticks ?? 0) > 1).toBe(true);
  await page.now.stop();
  await eventually(() => page.now.isLoading).toBe(false);
  const statuses = async () => (await client.runs.list(page.now.threadId ?? "")).map(({ status }) => status);
  await eventually(statuses).toEqual(["interrupted"]);
  void page.now.submit({ until: 1, tickMs: 10 });
  await eventually(statuses).toEqual(["success", "interrupted"]);
  await eventually(() => page.now.isLoading).toBe(false);
  expect(page.now.error).toBeUndefined();
});
