import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { startCluster, until } from "../cluster-of-processes.ts";
import { startModelServer } from "../model-server.ts";

vi.setConfig({ testTimeout: 240_000 });

/** The server behind the agents' tools. It counts their calls, and holds one back. */
let calls: string[] = [];
let held: { tool: string; left: PromiseWithResolvers<void> } | undefined;
const target = createServer(({ url = "" }, response: ServerResponse) => {
  const tool = url.slice(1);
  calls.push(tool);
  if (held?.tool !== tool) return void response.end(`${tool} answered`);
  response.on("close", held.left.resolve);
});
await once(target.listen(0, "127.0.0.1"), "listening");
afterAll(() => {
  target.closeAllConnections();
  target.close();
});

const model = await startModelServer();
const { client, aWorker } = await startCluster({
  ENSEMBLE_CONFIG: fileURLToPath(new URL("./agents/langgraph.json", import.meta.url)),
  OPENAI_BASE_URL: model.baseUrl,
  OPENAI_API_KEY: "test",
  TOOL_URL: `http://127.0.0.1:${(target.address() as AddressInfo).port}`,
});

const tools = ["first_tool", "second_tool"];
const roster = [
  { name: "clerk", role: "a clerk", tools },
  { name: "writer", role: "a writer" },
];
const task = { input: { task: "Count the orders" }, context: { roster } };
const step = (id: string, agent: string) => ({ id, agent, task: `do ${id}`, dependsOn: [] });
const toolCall = (name: string) => ({ toolCall: { id: `call_${name}`, name, args: {} } });

/** How often the model was asked for each round, by the words that identify it. */
let asked: Record<string, number> = {};
beforeEach(() => {
  [calls, asked, held] = [[], {}, undefined];
  model.respond((messages) => {
    const has = (words: string) => messages.includes(words);
    const reply = (name: string, answer: object) => {
      asked[name] = (asked[name] ?? 0) + 1;
      return answer;
    };
    if (has("Split this task")) return reply("plan", { json: { steps: [step("count", "clerk"), step("write", "writer")] } });
    if (has("Task: do write")) return reply("writer", { json: { summary: "written", findings: [] } });
    if (!has("Task: do count"))
      return reply("report", has("Review the work") ? { json: { decision: "finish", reason: "done" } } : { tokens: ["Two."] });
    if (has("second_tool answered")) return reply("last round", { json: { summary: "counted", findings: [] } });
    if (has("first_tool answered")) return reply("second round", toolCall("second_tool"));
    return reply("first round", toolCall("first_tool"));
  });
});

async function startSupervisor() {
  const { thread_id: threadId } = await client.threads.create();
  return client.runs.create(threadId, "supervisor", task);
}

test("an agent whose worker is killed in its second tool call repeats no finished round and no finished tool", async () => {
  const left = Promise.withResolvers<void>();
  held = { tool: "second_tool", left };
  const dying = await aWorker();
  const run = await startSupervisor();
  await until(() => calls.includes("second_tool") && asked.writer === 1);
  dying.child.kill("SIGKILL");
  await left.promise;
  held = undefined;
  await aWorker();
  expect(await client.runs.join(run.thread_id, run.run_id)).toMatchObject({
    results: { count: { status: "success" }, write: { status: "success" } },
  });
  expect(calls).toEqual(["first_tool", "second_tool", "second_tool"]);
  expect(asked).toMatchObject({ plan: 1, writer: 1, "first round": 1, "second round": 1, "last round": 1 });
});

test("a cancel reaches the call of a tool inside an agent, and the run goes on from there", async () => {
  const left = Promise.withResolvers<void>();
  held = { tool: "second_tool", left };
  await aWorker();
  const run = await startSupervisor();
  await until(() => calls.includes("second_tool") && asked.writer === 1);
  await client.runs.cancel(run.thread_id, run.run_id, true);
  await left.promise;
  held = undefined;
  const result = await client.runs.wait(run.thread_id, "supervisor", { input: null, context: { roster } });
  expect(result).toMatchObject({ results: { count: { status: "success" } } });
  expect(calls).toEqual(["first_tool", "second_tool", "second_tool"]);
  expect(asked).toMatchObject({ plan: 1, writer: 1, "first round": 1, "second round": 1, "last round": 1 });
});
