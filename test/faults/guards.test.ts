import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { startCluster, until } from "../cluster-of-processes.ts";
import { startModelServer } from "../model-server.ts";

vi.setConfig({ testTimeout: 240_000 });

/** The server behind the agent's tool. It counts the calls. */
let calls = 0;
const target = createServer((_, response) => {
  calls++;
  response.end("answered");
});
await once(target.listen(0, "127.0.0.1"), "listening");
afterAll(() => target.close());

const model = await startModelServer();
const { client, aWorker } = await startCluster({
  ENSEMBLE_CONFIG: fileURLToPath(new URL("./agents/langgraph.json", import.meta.url)),
  OPENAI_BASE_URL: model.baseUrl,
  OPENAI_API_KEY: "test",
  TOOL_URL: `http://127.0.0.1:${(target.address() as AddressInfo).port}`,
});

let asked: Record<string, number> = {};
let held = "";
let left = Promise.withResolvers<void>();
beforeEach(() => {
  [calls, asked, held, left] = [0, {}, "", Promise.withResolvers<void>()];
  model.script({});
  void model.abandoned().then(left.resolve);
  model.respond((messages) => {
    const name = nameOf(messages);
    asked[name] = (asked[name] ?? 0) + 1;
    if (name === held) return { tokens: ["{"], hang: true };
    if (name.endsWith("judge")) return { json: { passes: true, reason: "" } };
    return name === "first round" ? { toolCall: { id: "call_1", name: "first_tool", args: {} } } : { tokens: ["All is well."] };
  });
});

function nameOf(messages: string): string {
  if (messages.includes("Is it polite?")) return "input judge";
  if (messages.includes("Is it objective?")) return "output judge";
  return messages.includes("answered") ? "last round" : "first round";
}

const guardrails = {
  input: [{ kind: "judge", rule: "Is it polite?" }],
  output: [{ kind: "judge", rule: "Is it objective?", onFail: "retry" }],
};
const agents = [{ name: "guarded", role: "a clerk", tools: ["first_tool"], guardrails }];
const payload = { input: { task: "Count", stages: [{ name: "one", do: { agent: "guarded" } }] }, context: { agents } };
const values = { status: "completed", output: "All is well." };
const onceEach = { "first round": 1, "last round": 1, "input judge": 1, "output judge": 1 };

test.each([
  ["input judge", onceEach],
  ["output judge", { ...onceEach, "last round": 2 }],
])("a worker that is killed while the %s works repeats only that round", async (judge, counts) => {
  held = judge;
  const dying = await aWorker();
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "pipeline", payload);
  await until(() => asked[judge] === 1);
  dying.child.kill("SIGKILL");
  await left.promise;
  held = "";
  await aWorker();
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject(values);
  expect(asked).toEqual({ ...counts, [judge]: 2 });
  expect(calls).toBe(1);
});

test.each([
  ["input judge", onceEach],
  ["output judge", { ...onceEach, "last round": 2 }],
])("a cancel reaches the %s, and the thread goes on from there", async (judge, counts) => {
  held = judge;
  await aWorker();
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "pipeline", payload);
  await until(() => asked[judge] === 1);
  await client.runs.cancel(threadId, run.run_id, true);
  await left.promise;
  held = "";
  const result = await client.runs.wait(threadId, "pipeline", { input: null, context: payload.context });
  expect(result).toMatchObject(values);
  expect(asked).toEqual({ ...counts, [judge]: 2 });
  expect(calls).toBe(1);
});
