import { fileURLToPath } from "node:url";
import { Command } from "@langchain/langgraph";
import { RemoteGraph } from "@langchain/langgraph/remote";
import { expect, test } from "vitest";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";
import { collect, eventually, take } from "../sse.ts";

const { client, urls } = await startTestService();
const guarded = await startTestService({ ENSEMBLE_CONFIG: fileURLToPath(new URL("../graphs/with-auth/langgraph.json", import.meta.url)) });
const model = await startModelServer();
const remote = (graphId: string) => new RemoteGraph({ graphId, url: urls[0] ?? "", client });
const onThread = () => ({ configurable: { thread_id: crypto.randomUUID() } });

test("RemoteGraph invokes a graph of the service", async () => {
  expect(await remote("steps").invoke({}, onThread())).toEqual({ log: ["one", "two", "three"], last: "three" });
});

test("it streams values and updates, subgraphs included", async () => {
  const updates = await collect(await remote("steps").stream({}, { ...onThread(), streamMode: ["updates"] }));
  expect(updates.map(([, update]: [string, object]) => Object.keys(update))).toEqual([["one"], ["two"], ["three"]]);
  const inner = await collect(await remote("nested").stream({ text: "you" }, { ...onThread(), streamMode: ["updates"], subgraphs: true }));
  expect(inner.some(([namespace]: [string[]]) => namespace[0]?.startsWith("child:"))).toBe(true);
});

test("its state is read, updated and walked through", async () => {
  const config = onThread();
  await remote("steps").invoke({}, config);
  const state = await remote("steps").getState(config);
  expect(state).toMatchObject({ values: { last: "three" }, next: [] });
  const history = await collect(remote("steps").getStateHistory(config, { limit: 3 }));
  expect(history).toHaveLength(3);
  const before = await collect(remote("steps").getStateHistory(config, { before: history[1]!.config }));
  expect(before[0]?.next).toEqual(["two"]);
  await remote("steps").updateState(config, { log: ["by hand"] }, "three");
  expect((await remote("steps").getState(config)).values).toMatchObject({ log: ["one", "two", "three", "by hand"] });
});

test("an interrupt or an error of the remote graph reaches the caller", async () => {
  const config = onThread();
  const asked = await collect(await remote("review").stream({ topic: "x" }, { ...config, streamMode: ["values"] })).catch(
    (error: Error) => error,
  );
  expect(asked instanceof Error ? asked.name : JSON.stringify(asked)).toMatch(/GraphInterrupt|__interrupt__/);
  await expect(remote("fails").invoke({}, onThread())).rejects.toThrow("Boo!");
});

test("it can be drawn, with its subgraphs", async () => {
  const drawing = await remote("nested").getGraphAsync({ xray: true });
  expect(Object.keys(drawing.nodes)).toContain("child:shout");
  const subgraphs = await collect(remote("nested").getSubgraphsAsync());
  expect(subgraphs.map(([name]) => name)).toEqual(["child"]);
});

test("tokens come through", async () => {
  model.script({ tokens: ["Hel", "lo"] });
  const config = { configurable: { thread_id: crypto.randomUUID(), base_url: model.baseUrl } };
  const chunks = await collect(
    await remote("agent").stream({ messages: [{ role: "user", content: "hi" }] }, { ...config, streamMode: ["messages"] }),
  );
  const said = chunks.map(([, [message]]: [string, [{ content: string }]]) => message.content);
  expect(said.join("")).toBe("Hello");
});

test("it streams events of version 3: what it says, what happens, and what it came to", async () => {
  model.script({ tokens: ["Hel", "lo"] });
  const config = { configurable: { thread_id: crypto.randomUUID(), base_url: model.baseUrl } };
  const run = await remote("agent").streamEvents({ messages: [{ role: "user", content: "hi" }] }, { ...config, version: "v3" });
  expect(((await run.output) as { messages: { text: string }[] }).messages.at(-1)?.text).toBe("Hello");
  const [message] = await take(run.messages, 1);
  expect(await message?.text).toBe("Hello");
  const kinds = new Set<string>();
  for await (const { method } of run) if (kinds.add(method).size === 6) break;
  expect([...kinds].sort()).toEqual(["checkpoints", "lifecycle", "messages", "tasks", "updates", "values"]);
});

test("a command resumes it in version 3 too", async () => {
  const config = onThread();
  const asked = await remote("review").streamEvents({ topic: "x" }, { ...config, version: "v3" });
  await asked.output;
  await eventually(() => asked.interrupts).toMatchObject([{ payload: { draft: "On x" } }]);
  const answered = await remote("review").streamEvents(new Command({ resume: { approved: true } }), { ...config, version: "v3" });
  await eventually(async () => (await remote("review").getState(config)).values).toMatchObject({ published: "On x" });
  await answered.thread.close();
});

test("RemoteGraph authenticates as its user, and other users do not see the thread", async () => {
  const [url = ""] = guarded.urls;
  const remoteOf = (name: string) =>
    new RemoteGraph({ graphId: "steps", url, apiKey: "none", headers: { authorization: `Bearer ${name}` } });
  const config = onThread();
  expect(await remoteOf("alice").invoke({}, config)).toMatchObject({ last: "three" });
  const run = await remoteOf("alice").streamEvents({}, { ...onThread(), version: "v3" });
  expect(await run.output).toMatchObject({ last: "three" });
  expect((await remoteOf("alice").getState(config)).values).toMatchObject({ last: "three" });
  await expect(remoteOf("bob").getState(config)).rejects.toThrow("HTTP 404");
});
