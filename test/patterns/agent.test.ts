import { HumanMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { createAgent } from "langchain";
import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { costOf } from "../../graphs/agent/ledger.ts";
import { agent, planExecute, react, reflect } from "../../graphs/index.ts";
import { collect } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => {
  model.script({ tokens: ["Done."] });
  model.lacks.clear();
});

interface Message {
  id: string;
  type: string;
  content: string;
}

interface Values {
  messages: Message[];
  result: string;
  ledger: { agent: string; attempts: number; inputTokens: number; outputTokens: number; estimated?: true }[];
}

const ask = (content: string) => ({ input: { messages: [{ role: "user", content }] } });
const call = (name: string, args: object = {}) => ({ toolCall: { id: `call_${crypto.randomUUID().slice(0, 8)}`, name, args } });
const run = (graphId: string, payload: object, threadId: string | null = null) =>
  client.runs.wait(threadId as string, graphId, payload) as Promise<unknown> as Promise<Values>;
const verdict = { valid: true, score: 1, problems: [] };

test("a caller's configurable.model changes nothing", async () => {
  const configurable = { model: "expensive", modelProvider: "anthropic", temperature: 0.5 };
  await run("react", { ...ask("Hello"), config: { configurable } });
  expect(model.requests.map(({ model }) => model)).toEqual(["gpt-5-mini"]);
});

test("an endpoint that refuses response_format gets the schema in words, at no extra attempt", async () => {
  model.script({ tokens: ["A draft"] }, { json: verdict });
  model.lacks.add("response_format");
  const { result, ledger } = await run("reflect", { input: { task: "Write" } });
  expect(result).toBe("A draft");
  expect(ledger).toMatchObject([
    { agent: "writer", attempts: 1 },
    { agent: "critic", attempts: 1 },
  ]);
  const [, refused, accepted] = model.requests;
  expect(refused?.response_format).toBeDefined();
  expect(accepted?.response_format).toBeUndefined();
  expect(String(accepted?.messages[0]?.content)).toContain("It must fit this JSON schema");
});

test.each([
  ["fenced", (json: string) => `Here it is:\n\`\`\`json\n${json}\n\`\`\`\nI hope it helps.`],
  ["tagged", (json: string) => `<result>${json}</result>`],
  ["among words", (json: string) => `My verdict: ${json} That is all.`],
])("an answer in JSON is read where it is %s", async (_where, wrap) => {
  model.script({ tokens: ["A draft"] }, { tokens: [wrap(JSON.stringify(verdict))] });
  const { result, ledger } = await run("reflect", { input: { task: "Write" } });
  expect(result).toBe("A draft");
  expect(ledger[1]).toMatchObject({ attempts: 1 });
});

test("usage that an endpoint does not report is estimated, and marked so", async () => {
  model.script({ tokens: ["12345678"] });
  model.lacks.add("usage");
  const { ledger } = await run("react", ask("Hello"));
  expect(ledger).toMatchObject([{ estimated: true, outputTokens: expect.any(Number) }]);
  expect(ledger[0]?.inputTokens).toBeGreaterThan(1);
});

test.each(["invoked", "streamed"])("messages to which an endpoint gives one id do not overwrite each other: %s", async (way) => {
  const { thread_id: threadId } = await client.threads.create();
  model.script(call("now"), call("now"), { tokens: ["It is late."] });
  model.lacks.add("ids");
  if (way === "invoked") await run("react", ask("What time is it?"), threadId);
  else await collect(client.runs.stream(threadId, "react", { ...ask("What time is it?"), streamMode: ["messages-tuple"] }));
  const { messages } = (await client.threads.getState<Values>(threadId)).values;
  expect(messages.map(({ type }) => type)).toEqual(["human", "ai", "tool", "ai", "tool", "ai"]);
  expect(new Set(messages.map(({ id }) => id)).size).toBe(6);
});

test("a provider whose package is not installed is named with its package", async () => {
  const context = { models: { worker: "anthropic:claude-sonnet-5" } };
  await expect(run("react", { ...ask("Hello"), context })).rejects.toThrow(/claude-sonnet-5.*@langchain\/anthropic.*npm install/);
});

test("chat speaks with the model of its context, and counts what it costs", async () => {
  model.script({ tokens: ["Ahoy."] });
  const { messages, ledger } = await run("chat", { ...ask("Hello"), context: { model: "gpt-5-nano", instructions: "Speak as a pirate." } });
  expect(messages.map(({ content }) => content)).toEqual(["Hello", "Ahoy."]);
  expect(ledger).toMatchObject([{ agent: "chat" }]);
  expect(model.requests).toMatchObject([{ model: "gpt-5-nano", messages: [{}, { role: "user", content: "Hello" }] }]);
  expect(String(model.requests[0]?.messages[0]?.content)).toContain("Speak as a pirate.");
});

/** Returns what a tool of one's own was observed to do. */
async function observe(work: () => unknown) {
  const own = tool(work as () => string, { name: "own", description: "Does something", schema: z.object({}) });
  model.script(call("own"), { tokens: ["Done."] });
  const graph = react({ tools: [own], errandSeconds: 0.2 });
  const { steps, messages } = await graph.invoke({ messages: [new HumanMessage("Do it")] });
  expect(messages.at(-1)?.text).toBe("Done.");
  return steps[0]?.observation;
}

test("a tool that throws, hangs or says too much is an observation", async () => {
  const fails = () => {
    throw new Error("The shop is closed.");
  };
  expect(await observe(fails)).toBe("Error: The shop is closed.");
  expect(await observe(() => new Promise(() => {}))).toBe("Error: own did not answer within 0.2 s.");
  const long = await observe(() => "x".repeat(1_000_000));
  expect(long).toMatch(/x\n\[Cut here: 200000 of 1000000 characters are shown\.\]$/);
});

test("a result of createAgent does the steps of a plan", async () => {
  const { ChatOpenAI } = await import("@langchain/openai");
  const worker = createAgent({ model: new ChatOpenAI({ model: "own-model" }), tools: [], name: "helper" });
  model.script({ json: { steps: [{ description: "find a" }] } }, { tokens: ["a is 1"] }, { tokens: ["It is 1."] });
  const { plan, answer } = await planExecute({ agent: worker }).invoke({ task: "Find a" });
  expect({ plan, answer }).toMatchObject({ plan: [{ status: "done", result: "a is 1" }], answer: "It is 1." });
  expect(model.requests.map(({ model }) => model)).toEqual(["gpt-5-mini", "own-model", "gpt-5-mini"]);
});

test("options in code are defaults that a context replaces one by one", async () => {
  const graph = reflect({
    writer: agent({ name: "poet", role: "a poet" }),
    models: { worker: "cheap", judge: "good" },
    criteria: ["rhymes"],
  });
  model.script({ tokens: ["A draft"] }, { json: verdict });
  const { ledger } = await graph.invoke({ task: "Write" }, { context: { models: { judge: "better" } } as never });
  expect(model.requests.map(({ model }) => model)).toEqual(["cheap", "better"]);
  expect(ledger.map(({ agent }) => agent)).toEqual(["poet", "critic"]);
  expect(JSON.stringify(model.requests[0]?.messages)).toContain("- rhymes");
  expect(() => reflect({ maxRounds: 0 })).toThrow("maxRounds");
});

test("a model is priced with and without its provider, and by the version that answered", () => {
  const budget = { prices: {} };
  const usage = { inputTokens: 1_000_000, outputTokens: 0 };
  for (const asked of ["gpt-5-mini", "openai:gpt-5-mini"]) {
    for (const answered of [undefined, "gpt-5-mini", "gpt-5-mini-2025-08-07"])
      expect(costOf(asked, { ...usage, answered }, budget)).toBe(0.25);
    expect(costOf(asked, { ...usage, answered: "rehearsal" }, budget)).toBe(0);
  }
});
