import { AIMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { MemorySaver, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { agent, supervisor } from "ensemble/patterns";
import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import * as zod3 from "zod/v3";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { collect } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();

interface Supervised {
  messages: { type: string; content: string; id: string }[];
  results: Record<string, { status: string; work: unknown; error: string | null }>;
  report: { executiveSummary: string };
  ledger: { agent: string; outcome: string; estimated?: boolean; inputTokens: number }[];
  __interrupt__?: { id: string; value: Record<string, unknown> }[];
}

const step = (id: string, agent: string, ...dependsOn: string[]) => ({ id, agent, task: `do ${id}`, dependsOn });
const work = { json: { summary: "seen", findings: [] } };
const call = (name: string, args: unknown, id = `call_${crypto.randomUUID().slice(0, 8)}`) => ({ toolCall: { id, name, args } });

let steps: object[];
/** Answers of the agents: before they used a tool, and after. */
let first: Record<string, ScriptedReply>;
let then: Record<string, ScriptedReply>;
beforeEach(() => {
  model.lacks.clear();
  steps = [step("a", "clerk")];
  first = {};
  then = {};
  model.respond((messages) => {
    if (messages.includes("Split this task")) return { json: { steps } };
    if (messages.includes("Review the work")) return { json: { decision: "continue", reason: "fine" } };
    if (messages.includes("Write the report")) return { tokens: ["All ", "is ", "well."] };
    const id = /Task: do (\w+)/.exec(messages)?.[1] ?? "";
    return (messages.includes('"role":"tool"') ? then : first)[id] ?? work;
  });
});

const clerk = { name: "clerk", role: "a clerk", description: "Counts things", tools: ["calculate"] };
const context = { roster: [clerk, { name: "writer", role: "a writer" }] };
const run = (payload: object, threadId: string | null = null) =>
  client.runs.wait(threadId as string, "supervisor", payload) as Promise<unknown> as Promise<Supervised>;

test("an agent of a roster uses its tools, and its calls are in the ledger", async () => {
  first = { a: call("calculate", { expression: "6 * 7" }) };
  const { results, ledger } = await run({ input: { task: "Count" }, context });
  expect(results.a).toMatchObject({ status: "success", work: { summary: "seen" } });
  expect(ledger.filter(({ agent }) => agent === "clerk")).toHaveLength(2);
  expect(JSON.stringify(model.requests.at(2)?.messages)).toContain('"content":"42"');
});

test("the judge sees each agent's name, role, description and tools", async () => {
  await run({ input: { task: "Count" }, context });
  const seen = JSON.stringify(model.requests[0]?.messages);
  for (const known of ["clerk", "a clerk", "Counts things", "calculate"]) expect(seen).toContain(known);
});

test("an agent with a schema of its own gives a result of that shape, which its dependants see", async () => {
  const output = { type: "object", properties: { verse: { type: "string" } }, required: ["verse"] };
  steps = [step("a", "poet"), step("b", "clerk", "a")];
  first = { a: { json: { verse: "Roses" } } };
  const { results } = await run({ input: { task: "Write" }, context: { roster: [clerk, { name: "poet", role: "a poet", output }] } });
  expect(results.a?.work).toEqual({ verse: "Roses" });
  expect(JSON.stringify(model.requests.find(({ messages }) => JSON.stringify(messages).includes("Task: do b")))).toContain("Roses");
  expect(JSON.stringify(model.requests.at(-1)?.messages)).toContain("Roses");
});

test("messages go in, the answer comes out as a message, and only its tokens are streamed", async () => {
  first = { a: call("calculate", { expression: "6 * 7" }) };
  const input = { messages: [{ role: "user", content: "Count" }] };
  const { thread_id: threadId } = await client.threads.create();
  const stream = client.runs.stream(threadId, "supervisor", { input, context, streamMode: ["messages-tuple", "values"] });
  const parts = await collect(stream as AsyncIterable<{ event: string; data: unknown }>);
  const spoken = parts.filter(({ event }) => event === "messages").map(({ data }) => (data as [{ id: string; content: string }])[0]);
  expect(spoken.map(({ content }) => content).filter(Boolean)).toEqual(["All ", "is ", "well."]);
  const { values } = await client.threads.getState<Supervised>(threadId);
  expect(values.messages).toMatchObject([
    { type: "human", content: "Count" },
    { type: "ai", content: "All is well.", id: spoken[0]?.id },
  ]);
  expect(values.report.executiveSummary).toBe("All is well.");
  const again = await run({ input: { messages: [{ role: "user", content: "Count on" }] }, context }, threadId);
  expect(again.messages.map(({ type }) => type)).toEqual(["human", "ai", "human", "ai"]);
});

test("a misspelt key is refused with its path and the nearest key", async () => {
  await expect(run({ input: { task: "Count" }, context: { limits: { paralel: 1 } } })).rejects.toThrow(
    /422.*context\.limits\.paralel.*did you mean \\?"parallel\\?"/s,
  );
  await expect(run({ input: { tasks: "Count" } })).rejects.toThrow(/422.*input\.tasks.*did you mean \\?"task\\?"/s);
});

test("a dollar budget with a model that has no price is refused", async () => {
  const budget = { dollars: 1 };
  await expect(run({ input: { task: "Count" }, context: { models: { worker: "llama3.1:8b" }, budget } })).rejects.toThrow(
    /422.*context\.budget\.dollars.*llama3\.1:8b/s,
  );
  const priced = { ...budget, prices: { "llama3.1:8b": { input: 0, output: 0 } } };
  const roster = [{ name: "clerk", role: "a clerk", model: "other" }];
  await expect(run({ input: { task: "Count" }, context: { roster, budget } })).rejects.toThrow(
    /422.*the model \\?"other\\?" has no price/s,
  );
  const models = { worker: "llama3.1:8b" };
  expect(await run({ input: { task: "Count" }, context: { roster: [clerk], models, budget: priced } })).toHaveProperty("report");
});

test.each([
  ["of 700 words", "word ".repeat(700)],
  ["of 59 kB without a space", "x".repeat(59_000)],
])("a task %s works", async (_, task) => {
  const { results, report } = await run({ input: { task, input: task }, context });
  expect(results.a?.status).toBe("success");
  expect(report.executiveSummary).toBe("All is well.");
});

test("an endpoint without response_format that fences its JSON and reports no usage works, and its tokens are estimated", async () => {
  model.lacks.add("response_format").add("usage");
  const fenced = (value: unknown) => ({ tokens: ["Here it is:\n```json\n", JSON.stringify(value), "\n```"] });
  model.respond((messages) => {
    if (messages.includes("Split this task")) return fenced({ steps });
    if (messages.includes("Review the work")) return fenced({ decision: "finish", reason: "fine" });
    if (messages.includes("Write the report")) return { tokens: ["Done."] };
    return fenced(work.json);
  });
  const { results, ledger } = await run({ input: { task: "Count" }, context });
  expect(results.a?.status).toBe("success");
  for (const { estimated, inputTokens } of ledger)
    expect({ estimated, isCounted: inputTokens > 5 }).toEqual({ estimated: true, isCounted: true });
});

test("a tool that needs approval asks once, and the answer reaches its call while the others have gone on", async () => {
  steps = [step("a", "clerk"), step("b", "careful"), step("c", "writer", "a", "b")];
  first = { a: call("calculate", { expression: "1 + 1" }), b: call("calculate", { expression: "2 + 2" }) };
  const roster = [...context.roster, { ...clerk, name: "careful", approve: ["calculate"] }];
  const { thread_id: threadId } = await client.threads.create();
  const asked = await run({ input: { task: "Count" }, context: { roster } }, threadId);
  expect(asked.__interrupt__).toMatchObject([{ value: { type: "approval", details: { args: { expression: "2 + 2" } } } }]);
  const edited = { approved: true, edited: { expression: "3 + 3" } };
  const done = await run({ command: { resume: edited } }, threadId); // without the roster, which the run keeps in its state
  expect(Object.values(done.results).map(({ status }) => status)).toEqual(["success", "success", "success"]);
  const prompts = model.requests.map(({ messages }) => JSON.stringify(messages));
  expect(prompts.filter((text) => text.includes("Task: do a"))).toHaveLength(2);
  expect(prompts.filter((text) => text.includes("Task: do b"))).toHaveLength(2);
  expect(prompts.filter((text) => text.includes("Task: do b")).at(-1)).toContain('"content":"6"');
});

test("two agents that ask in one wave are answered by the ids of their questions", async () => {
  steps = [step("a", "careful"), step("b", "careful")];
  first = { a: call("calculate", { expression: "1 + 1" }), b: call("calculate", { expression: "2 + 2" }) };
  const roster = [{ ...clerk, name: "careful", approve: ["calculate"] }];
  const { thread_id: threadId } = await client.threads.create();
  const { __interrupt__: asked = [] } = await run({ input: { task: "Count" }, context: { roster } }, threadId);
  expect(asked).toHaveLength(2);
  const isFirst = ({ value }: { value: object }) => JSON.stringify(value).includes("1 + 1");
  const resume = Object.fromEntries(asked.map((one) => [one.id, { approved: isFirst(one), reason: "Not this one" }]));
  const { results } = await run({ command: { resume } }, threadId);
  expect(Object.values(results).map(({ status }) => status)).toEqual(["success", "success"]);
  const last = (id: string) =>
    JSON.stringify(model.requests.findLast(({ messages }) => JSON.stringify(messages).includes(`Task: do ${id}`)));
  expect(last("a")).toContain('"content":"2"');
  expect(last("b")).toContain("Refused by a person: Not this one");
});

test("a cancelled run goes on in the round where its agent was, and repeats no finished call", async () => {
  first = { a: call("calculate", { expression: "6 * 7" }) };
  then = { a: { hang: true } };
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "supervisor", { input: { task: "Count" }, context });
  const askedFor = () => model.requests.filter(({ messages }) => JSON.stringify(messages).includes("Task: do a")).length;
  await expect.poll(askedFor).toBe(2);
  await client.runs.cancel(threadId, runId, true);
  then = {};
  const { results, ledger } = await run({ input: null, context }, threadId);
  expect(results.a).toMatchObject({ status: "success" });
  expect(askedFor()).toBe(3);
  expect(ledger.filter(({ agent }) => agent === "clerk")).toHaveLength(2);
});

test("a step that is resumed and then fails has the rounds before the interruption in the ledger", async () => {
  first = { a: call("calculate", { expression: "6 * 7" }) };
  then = { a: { hang: true } };
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "supervisor", { input: { task: "Count" }, context });
  const askedFor = () => model.requests.filter(({ messages }) => JSON.stringify(messages).includes("Task: do a")).length;
  await expect.poll(askedFor).toBe(2);
  await client.runs.cancel(threadId, runId, true);
  then = { a: { status: 400 } };
  await expect(run({ input: null, context }, threadId)).rejects.toThrow("No step succeeded");
  const { values } = await client.threads.getState<Supervised>(threadId);
  const calls = values.ledger.filter(({ agent }) => agent === "clerk").map(({ outcome }) => outcome);
  expect(calls).toEqual(["success", "failed"]);
});

test("a zod 3 schema of a project is an agent's output, and a bad answer is told what is wrong", async () => {
  const poet = agent({ name: "poet", role: "a poet", output: zod3.object({ verse: zod3.string() }) });
  const graph = supervisor({ agents: [poet], limits: { stageMs: 0 } });
  steps = [step("a", "poet")];
  first = { a: { json: { vers: "Roses" } } };
  let tries = 0;
  model.respond((messages) => {
    if (messages.includes("Split this task")) return { json: { steps } };
    if (messages.includes("Review the work")) return { json: { decision: "finish", reason: "fine" } };
    if (messages.includes("Write the report")) return { tokens: ["Done."] };
    return { json: tries++ === 0 ? { vers: "Roses" } : { verse: "Roses" } };
  });
  const { results } = await graph.invoke({ task: "Write" });
  expect(results.a).toMatchObject({ status: "success", work: { verse: "Roses" } });
  const again = JSON.stringify(model.requests[2]?.messages);
  expect(again).toContain("That answer cannot be used: It does not fit the schema");
  expect(again).toContain("verse");
  expect(model.requests[1]?.response_format).toMatchObject({ json_schema: { schema: { required: ["verse"] } } });
});

test("the schema of the context is published, with the roster and its defaults", async () => {
  const { context_schema: schema } = (await client.assistants.getSchemas("supervisor")) as unknown as {
    context_schema: { properties: Record<string, { default?: object[] }> };
  };
  expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(["models", "limits", "budget", "roster", "conflicts"]));
});

test("in code, agents bring tools, schemas and whole graphs, and options are the defaults of the context", async () => {
  const looked: string[] = [];
  const find = ({ place }: { place: string }) => {
    looked.push(place);
    return "a river";
  };
  const look = tool(find, { name: "look", description: "Looks at a place", schema: z.object({ place: z.string() }) });
  const echo = new StateGraph(MessagesAnnotation)
    .addNode("say", ({ messages }) => ({ messages: [new AIMessage(`heard ${messages.at(-1)?.text}`)] }))
    .addEdge(START, "say")
    .compile({ name: "echo" });
  const scout = agent({ name: "scout", role: "a scout", tools: [look], output: z.object({ found: z.string() }) });
  const graph = supervisor({ agents: [scout, echo], limits: { stageMs: 0 }, onFailures: "partial" });
  graph.checkpointer = new MemorySaver();
  steps = [step("a", "scout"), step("b", "echo", "a")];
  first = { a: call("look", { place: "north" }) };
  then = { a: { json: { found: "a river" } } };
  const values = await graph.invoke({ task: "Explore" }, { configurable: { thread_id: "1" } });
  expect(looked).toEqual(["north"]);
  expect(values.results).toMatchObject({ a: { work: { found: "a river" } }, b: { work: expect.stringContaining("a river") } });
  expect(values.messages.at(-1)?.content).toBe("All is well.");
  const streamed = await graph.stream({ task: "Explore" }, { configurable: { thread_id: "2" }, streamMode: "messages" });
  const spoken = (await collect(streamed as AsyncIterable<[AIMessage, object]>)).map(([message]) => message.text).filter(Boolean);
  expect(spoken).toEqual(["Explore", "All ", "is ", "well."]);
});

test("agents of the code are nodes with their names, in the drawing and in the stream", async () => {
  const team = ["scout", "review", "task"].map((name) => agent({ name, role: "an agent" }));
  const graph = supervisor({ agents: team, limits: { stageMs: 0 }, onFailures: "partial" });
  const { nodes, edges } = await graph.getGraphAsync();
  expect(Object.keys(nodes)).toContain("scout");
  expect(edges).toContainEqual(expect.objectContaining({ source: "route", target: "scout" }));
  expect(edges).toContainEqual(expect.objectContaining({ source: "scout", target: "account" }));
  expect(Object.keys((await supervisor().getGraphAsync()).nodes)).not.toContain("security"); // a context can replace the default roster

  graph.checkpointer = new MemorySaver();
  steps = [step("a", "scout"), step("b", "review"), step("c", "task")]; // names that a node or a state key already has
  const config = { configurable: { thread_id: "1" }, streamMode: "updates" as const };
  const updates = await collect((await graph.stream({ task: "Explore" }, config)) as AsyncIterable<Record<string, { results?: object }>>);
  const workers = updates.flatMap((update) =>
    Object.entries(update).flatMap(([node, { results }]) => (results ? [[node, ...Object.keys(results)].join(" ")] : [])),
  );
  expect(workers.filter((worker) => / [abc]$/.test(worker)).toSorted()).toEqual(["scout a", "work b", "work c"]);
});

test("wrong options are refused where they stand", () => {
  const twins = ["one", "one"].map((name) => ({ name, role: "a twin" }));
  expect(() => supervisor({ agents: twins })).toThrow('two agents named "one"');
  expect(() => supervisor({ limits: { paralel: 1 } as object })).toThrow("parallel");
  expect(() => supervisor({ budget: { dollars: 1 }, models: { judge: "unknown" } })).toThrow("has no price");
});
