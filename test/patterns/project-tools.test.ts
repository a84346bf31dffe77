import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, expect, test, vi } from "vitest";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";

const waiting = join(await mkdtemp(join(tmpdir(), "ensemble-mcp-")), "state");
const model = await startModelServer();
const settings = { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: "test", TEST_GREETING: "Hello", TEST_WAITING: waiting };
for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
const config = fileURLToPath(new URL("./project/langgraph.json", import.meta.url));
const { client } = await startTestService({ ENSEMBLE_CONFIG: config, ...settings });
beforeEach(() => model.script({ tokens: ["Done."] }));

interface React {
  steps: { action: string; observation: string }[];
  ledger: { agent: string }[];
}

const call = (name: string, args: unknown) => ({ toolCall: { id: `call_${crypto.randomUUID().slice(0, 8)}`, name, args } });
const input = { messages: [{ role: "user", content: "Do it" }] };
const run = (tools: string[], context: object = {}) =>
  client.runs.wait(null, "react", { input, context: { tools, ...context } }) as Promise<unknown> as Promise<React>;
const observations = ({ steps }: React) => steps.map(({ observation }) => observation);

test("a context names the project's own tools", async () => {
  model.script(call("search_orders", { customer: "Ada" }), { tokens: ["Two."] });
  expect(observations(await run(["search_orders"]))).toEqual(["2 orders of Ada"]);
});

test("a tool that nobody has is refused, and the answer names those that there are", async () => {
  await expect(run(["teleport"])).rejects.toThrow(
    'context.tools[0]: there is no tool \\"teleport\\"; there are calculate, now, fetch_page, ask_human, remember, recall, search_orders, agent:writer, agent:clerk, graph:react, graph:scenario, files/greet, files/die, files/later, files/wait, gone/<tool>',
  );
  await expect(run(["files/secret"])).rejects.toThrow('there is no tool \\"files/secret\\"');
});

test("an agent of the project does an errand for another, with its own tools, and its calls are in the ledger", async () => {
  model.script(
    call("agent__clerk", { task: "How many orders has Ada?" }),
    call("search_orders", { customer: "Ada" }),
    { tokens: ["Ada has two orders."] },
    { tokens: ["Two."] },
  );
  const result = await run(["agent:clerk"]);
  expect(observations(result)).toEqual(["Ada has two orders."]);
  expect(JSON.stringify(model.requests[1]?.messages)).toContain("a clerk who knows the orders");
  expect(JSON.stringify(model.requests[1]?.messages)).not.toContain("Do it");
  expect(result.ledger.map(({ agent }) => agent)).toEqual(["react", "clerk", "clerk", "react"]);
});

test("agents that another agent calls at once share its budget", async () => {
  model.lacks.add("usage"); // a call's cost thus depends on the length of its answer
  const toolCalls = ["a", "b", "c"].map((id) => ({ id, name: "agent__writer", args: { task: `do ${id}` } }));
  model.respond((messages) => (messages.includes("Task: do") ? { tokens: ["x".repeat(8_000)] } : { toolCalls }));
  await expect(run(["agent:writer"], { budget: { tokens: 900 } })).rejects.toThrow("of its budget of 900");
  model.lacks.clear();
  expect(model.requests.filter(({ messages }) => JSON.stringify(messages).includes("Task: do"))).toHaveLength(1);
});

test("the tools of an MCP server are used under the server's name, with the variables of the service", async () => {
  model.script(call("files__greet", { name: "Ada" }), { tokens: ["Greeted."] });
  expect(observations(await run(["files/greet"]))).toEqual(["Hello, Ada"]);
  expect(model.requests[0]?.tools).toMatchObject([{ function: { name: "files__greet" } }]);
});

test("an MCP server that dies in a call, gets a tool or never starts is an observation, not a crash", async () => {
  model.script(call("files__die", {}), call("files__greet", { name: "Bob" }), call("files__later", {}), call("gone__anything", {}), {
    tokens: ["So."],
  });
  const seen = observations(await run(["files/die", "files/greet", "files/later", "gone/anything"]));
  expect(seen).toEqual([
    expect.stringMatching(/^Error: /),
    "Hello, Bob",
    "late",
    expect.stringMatching(/^Error: The MCP server "gone" cannot be reached: /),
  ]);
});

test("an input names the project's own skill, and no other", async () => {
  const scenarios = [{ name: "few", inputSize: 4 }];
  const run = (skill: string) => client.runs.wait(null, "scenario", { input: { skill, scenarios } });
  expect(await run("doubling")).toMatchObject({ progress: { few: { status: "complete", items: 4, scores: { done: 1 } } } });
  await expect(run("tripling")).rejects.toThrow('input.skill: there is no skill \\"tripling\\"; there are doubling, ');
});

test("a cancel reaches the call of an MCP server", async () => {
  const state = () => readFile(waiting, "utf8").catch(() => "");
  model.script(call("files__wait", {}), { tokens: ["never"] });
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "react", { input, context: { tools: ["files/wait"] } });
  await expect.poll(state).toBe("waiting");
  await client.runs.cancel(threadId, runId, true);
  await expect.poll(state).toBe("cancelled");
});

test("a context names the project's own guards, and no others", async () => {
  const guarded = (guardrails: object) => run([], { guardrails });
  model.script({ tokens: ["so, please"] });
  const { messages } = (await guarded({ output: ["polite", "louder"] })) as unknown as { messages: { content: string }[] };
  expect(messages.at(-1)?.content).toBe("SO, PLEASE");
  await expect(guarded({ input: ["polite"] })).rejects.toThrow('The guardrail "polite" refused the input: Say please.');
  await expect(guarded({ output: [{ kind: "function", name: "broken" }] })).rejects.toThrow("The check failed: no connection");
  await expect(guarded({ output: ["rude"] })).rejects.toThrow(
    'context.guardrails.output[0].name: there is no guard \\"rude\\"; there are polite, louder, broken',
  );
});
