import { AIMessage } from "@langchain/core/messages";
import { MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { agent, swarm } from "ensemble/patterns";
import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { collect } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface Swarm {
  result: string | null;
  stopReason: string | null;
  lastAgent: string;
  handoffs: { from: string; to: string; input: unknown; tools: string[] }[];
  turns: number;
  messages: { type: string; name?: string; content: string; id: string; tool_calls?: unknown[]; tool_call_id?: string }[];
  ledger: { agent: string; outcome: string }[];
  __interrupt__?: { value: object }[];
}
type Input = Record<string, unknown>;

const says = (text: string): ScriptedReply => ({ tokens: [text] });
let calls = 0;
const call = (name: string, args: unknown = {}) => ({ id: `call_${++calls}`, name, args });
const transfer = (to: string, args: unknown = {}): ScriptedReply => ({ toolCall: call(`transfer_to_${to}`, args) });

/** Answers each agent with its replies, one after another. The last one is repeated. */
const answering = (answers: Record<string, ScriptedReply[]>) =>
  model.respond((messages) => {
    const name = /You are the (\w+) clerk\./.exec(messages)?.[1] ?? "";
    const replies = answers[name] ?? [];
    return (replies.length > 1 ? replies.shift() : replies[0]) ?? says(`I am ${name}.`);
  });
const clerk = (name: string, handoffs: (string | Input)[] = [], more: Input = {}) => ({
  ...{ name, role: `the ${name} clerk`, description: `Knows ${name}.`, ...more },
  handoffs: handoffs.map((one) => (typeof one === "string" ? { to: one } : one)),
});
const two = (handoff: Input = {}, more: Input = {}) => ({
  agents: [clerk("triage", [{ to: "billing", ...handoff }], { tools: ["calculate"] }), clerk("billing", ["triage"])],
  ...more,
});
const wait = (threadId: string | null, payload: object) =>
  client.runs.wait(threadId as string, "swarm", payload) as Promise<unknown> as Promise<Swarm>;
const run = (context: Input, content = "Where is my invoice?", threadId: string | null = null) =>
  wait(threadId, { input: { messages: [{ role: "user", content }] }, context });
const newThread = async () => (await client.threads.create()).thread_id;
const namesOf = (handoffs: Swarm["handoffs"]) => handoffs.map(({ from, to }) => `${from} to ${to}`);
/** The messages of the last request to an agent, without its instruction. */
const seenBy = (name: string) =>
  model.requests.findLast(({ messages }) => JSON.stringify(messages[0]).includes(`the ${name} clerk`))?.messages.slice(1) ?? [];
const rolesOf = (messages: { role: string }[]) => messages.map(({ role }) => role);

test("triage hands over to billing, which hands back, and triage answers", async () => {
  answering({ triage: [transfer("billing"), says("It is in your inbox.")], billing: [transfer("triage")] });
  const { result, stopReason, lastAgent, handoffs, messages, ledger } = await run(two());
  expect({ result, stopReason, lastAgent }).toEqual({ result: "It is in your inbox.", stopReason: "answered", lastAgent: "triage" });
  expect(namesOf(handoffs)).toEqual(["triage to billing", "billing to triage"]);
  expect(ledger.map(({ agent }) => agent)).toEqual(["triage", "billing", "triage"]);
  expect(messages.map(({ type, name }) => [type, name])).toEqual([
    ["human", undefined],
    ["ai", "triage"],
    ["tool", "transfer_to_billing"],
    ["ai", "billing"],
    ["tool", "transfer_to_triage"],
    ["ai", "triage"],
  ]);
  expect(rolesOf(seenBy("triage"))).toEqual(["user", "assistant", "tool", "assistant", "tool"]);
  expect(JSON.stringify(model.requests[0]?.tools)).toContain("Hands the conversation over to billing: Knows billing.");
});

test("the agent that answered gets the next message, unless the entry agent is wanted", async () => {
  answering({ triage: [transfer("billing")] });
  const threadId = await newThread();
  expect(await run(two(), "Hello", threadId)).toMatchObject({ lastAgent: "billing", handoffs: [{}] });
  const second = await run(two(), "And now?", threadId);
  expect(second).toMatchObject({ lastAgent: "billing", handoffs: [], turns: 1, ledger: [{ agent: "billing" }] });
  answering({ triage: [says("Triage again.")] });
  expect(await run(two({}, { returnTo: "entry" }), "Hello", threadId)).toMatchObject({ lastAgent: "triage", result: "Triage again." });
});

const calculating = [{ toolCall: call("calculate", { expression: "6 * 7" }) }, transfer("billing")];
const invoiced = { type: "object", properties: { number: { type: "integer" } }, required: ["number"] };

test("remove_tools leaves no call and no result of a tool", async () => {
  answering({ triage: [...calculating] });
  const { messages } = await run(two({ filter: "remove_tools" }));
  expect(messages.filter(({ type }) => type === "tool")).toHaveLength(2);
  expect(seenBy("billing")).toEqual([{ role: "user", content: "Where is my invoice?" }]);
});

test("none shows the user's message and the input only, and last cuts no result from its call", async () => {
  answering({ triage: [calculating[0] as ScriptedReply, transfer("billing", { number: 7 })] });
  await run(two({ filter: "none", input: invoiced }));
  expect(seenBy("billing")).toEqual([
    { role: "user", content: "Where is my invoice?" },
    { role: "user", content: 'triage hands over: {"number":7}' },
  ]);
  answering({ triage: [...calculating] });
  await run(two({ filter: { last: 3 } }));
  expect(rolesOf(seenBy("billing"))).toEqual(["user", "assistant", "tool"]);
});

test("a packed history is one message of the assistant, before the user's message", async () => {
  answering({ triage: [{ tokens: ["I look it up."], ...calculating[0] }, transfer("billing")] });
  await run(two({}, { pack: true }));
  const [history, user, ...others] = seenBy("billing");
  expect(history?.role).toBe("assistant");
  expect(history?.content).toBe(
    "<CONVERSATION HISTORY>\ntriage: I look it up.\ncalculate: 42\ntransfer_to_billing: Transferred to billing.\n</CONVERSATION HISTORY>",
  );
  expect(user).toEqual({ role: "user", content: "Where is my invoice?" });
  expect(others).toEqual([]);
});

test("a handoff to nobody is an observation, and the agent goes on", async () => {
  answering({ triage: [transfer("nowhere"), says("Then I do it.")] });
  const { result, handoffs, messages } = await run(two());
  expect({ result, handoffs }).toEqual({ result: "Then I do it.", handoffs: [] });
  expect(messages[2]?.content).toContain('Error: there is no tool "transfer_to_nowhere"');
});

test("an input that does not fit its schema is refused, and the agent may try again", async () => {
  answering({ triage: [transfer("billing", { number: "seven" }), transfer("billing", { number: 7 })] });
  const { handoffs, messages } = await run(two({ input: invoiced }));
  expect(handoffs).toEqual([{ from: "triage", to: "billing", input: { number: 7 }, tools: [] }]);
  expect(messages[2]).toMatchObject({ type: "tool", content: expect.stringMatching(/^Error: .*schema/s) });
  expect(JSON.stringify(seenBy("billing"))).toContain('Transferred to billing. Input: {\\"number\\":7}');
});

test("the first of parallel handoffs wins, the others are not done, and calls beside it are finished", async () => {
  const toolCalls = [call("transfer_to_billing"), call("transfer_to_support"), call("calculate", { expression: "6 * 7" })];
  const agents = [clerk("triage", ["support", "billing"], { tools: ["calculate"] }), clerk("billing"), clerk("support")];
  answering({ triage: [{ toolCalls }] });
  const { lastAgent, handoffs, messages } = await run({ agents });
  expect(lastAgent).toBe("billing");
  expect(handoffs).toEqual([{ from: "triage", to: "billing", input: null, tools: ["calculate"] }]);
  expect(messages.slice(2, 5).map(({ content }) => content)).toEqual([
    ...["Transferred to billing.", "Not done: the conversation goes to another agent by transfer_to_billing.", "42"],
  ]);
  expect(model.requests).toHaveLength(2);
});

test("a handoff waits for approval, and the answer is enough to go on", async () => {
  answering({ triage: [transfer("billing"), says("Then I answer.")] });
  const threadId = await newThread();
  const asked = await run(two({ approve: true }), "Hello", threadId);
  expect(asked.__interrupt__).toMatchObject([{ value: { type: "approval", prompt: "May the conversation go to billing?" } }]);
  expect(await wait(threadId, { command: { resume: { approved: true } } })).toMatchObject({
    lastAgent: "billing",
    result: "I am billing.",
  });
  expect(model.requests).toHaveLength(2);
  answering({ triage: [transfer("billing"), says("Then I answer.")] });
  const other = await newThread();
  await run(two({ approve: true }), "Hello", other);
  const refused = await wait(other, { command: { resume: { approved: false, reason: "No." } } });
  expect(refused).toMatchObject({ lastAgent: "triage", result: "Then I answer.", handoffs: [] });
});

test("agents that only hand over to each other are stopped, and a tool between is no loop", async () => {
  answering({ triage: [transfer("billing")], billing: [transfer("triage")] });
  const looping = await run(two());
  expect(looping).toMatchObject({ stopReason: "handoff_loop", result: null });
  expect(namesOf(looping.handoffs)).toEqual(["triage to billing", "billing to triage", "triage to billing"]);
  expect(looping.messages.at(-1)).toMatchObject({ type: "ai", content: "The conversation was stopped: handoff_loop." });
  answering({ triage: [transfer("billing"), ...calculating], billing: [transfer("triage"), says("Paid.")] });
  expect(await run(two())).toMatchObject({ stopReason: "answered", result: "Paid." });
});

test("after maxHandoffs an agent can only answer", async () => {
  answering({ triage: [transfer("billing")] });
  expect(await run(two({}, { maxHandoffs: 1 }))).toMatchObject({ lastAgent: "billing" });
  expect(JSON.stringify(model.requests[1]?.tools ?? [])).not.toContain("transfer_to_triage");
});

test("a condition can end it at a handoff", async () => {
  answering({ triage: [transfer("billing")] });
  const termination = { or: [{ handoffTo: "billing" }, { maxMessages: 9 }] };
  expect(await run(two({}, { termination }))).toMatchObject({ stopReason: "handoffTo billing", lastAgent: "billing", turns: 1 });
  expect(model.requests).toHaveLength(1);
});

test("the answer is streamed with the name of its speaker, and what was streamed is what is stored", async () => {
  answering({ triage: [transfer("billing")], billing: [{ tokens: ["It ", "is ", "paid."] }] });
  const payload = { input: { messages: [{ role: "user", content: "Paid?" }] }, context: two(), streamMode: ["messages-tuple", "values"] };
  const events = await collect(client.runs.stream(null, "swarm", payload as never) as AsyncIterable<{ event: string; data: unknown }>);
  const told = events.filter(({ event }) => event === "messages").map(({ data }) => data as [Swarm["messages"][0], Input]);
  const spoken = told.filter(([{ type, content }]) => /ai/i.test(type) && content !== "");
  expect(spoken.map(([{ content }, { speaker }]) => `${speaker}: ${content}`)).toEqual(["billing: It ", "billing: is ", "billing: paid."]);
  const { messages } = Object(events.at(-1)?.data) as Swarm;
  expect(messages.at(-1)?.id).toBe(spoken[0]?.[0].id);
  expect(messages.filter(({ content }) => content === "It is paid.")).toHaveLength(1);
});

test("an agent that fails for good ends the run with an error", async () => {
  answering({ triage: [{ status: 400 }] });
  await expect(run(two())).rejects.toThrow("No agent answered. A turn was passed, because triage failed:");
});

test("a fork from an earlier checkpoint ends differently, and the first conversation stays", async () => {
  answering({ triage: [transfer("billing")], billing: [says("Paid.")] });
  const threadId = await newThread();
  expect(await run(two(), "Paid?", threadId)).toMatchObject({ result: "Paid." });
  const history = await client.threads.getHistory<Swarm>(threadId, { limit: 50 });
  const handed = history.find(({ next, values }) => next.includes("speak") && values.turns === 1);
  answering({ billing: [transfer("triage")], triage: [says("Not paid.")] });
  const forked = await wait(threadId, { input: null, checkpointId: handed?.checkpoint.checkpoint_id });
  expect(forked).toMatchObject({ result: "Not paid.", lastAgent: "triage", handoffs: [{}, {}] });
  const first = await client.threads.getState<Swarm>(threadId, history[0]?.checkpoint.checkpoint_id ?? "");
  expect(first.values).toMatchObject({ result: "Paid.", lastAgent: "billing" });
});

test("in code, filters are functions, inputs are zod schemas, and a graph can be handed to", async () => {
  const echo = new StateGraph(MessagesAnnotation)
    .addNode("repeat", ({ messages }) => ({ messages: [new AIMessage(messages.map(({ text }) => text).join(" + "))] }))
    .addEdge(START, "repeat")
    .compile({ name: "echo" });
  const input = z.object({ number: z.number() });
  const triage = agent({ name: "triage", role: "the triage clerk" });
  const graph = swarm({ agents: [{ ...triage, handoffs: [{ to: "echo", input, filter: (messages) => messages.slice(0, 1) }] }, echo] });
  answering({ triage: [transfer("echo", { number: 7 })] });
  const done = await graph.invoke({ task: "Say it" });
  expect(done).toMatchObject({ result: 'Say it + triage hands over: {"number":7}', lastAgent: "echo" });
  expect(() => swarm({ agents: [{ ...triage, handoffs: [{ to: "nobody" }] }] })).toThrow('there is no participant "nobody"');
});
