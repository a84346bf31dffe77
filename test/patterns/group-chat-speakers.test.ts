import { AIMessage } from "@langchain/core/messages";
import { MemorySaver, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { groupChat } from "ensemble/patterns";
import { beforeEach, expect, test } from "vitest";
import { eventually } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface Chat {
  speaker: string;
  stopReason: string | null;
  turns: number;
  notes: string[];
  messages: { type: string; name?: string; content: string }[];
  ledger: { agent: string; outcome: string; attempts: number }[];
  __interrupt__?: { value: Record<string, unknown> }[];
}
type Input = Record<string, unknown>;

const says = (text: string) => ({ tokens: [text] });
const wait = (threadId: string | null, payload: object) =>
  client.runs.wait(threadId as string, "group-chat", payload) as Promise<unknown> as Promise<Chat>;
const newThread = async () => (await client.threads.create()).thread_id;
const three = ["ann", "bob", "cid"].map((name) => ({ name, role: `the expert ${name}`, description: `Knows ${name}.` }));
const speakers = ({ messages }: Chat) => messages.filter(({ name }) => name).map(({ name }) => name);

/** Lets the selector choose these names, one after another. Participants say their names. */
const choosing = (...names: string[]) =>
  model.respond((messages) => {
    if (messages.includes("Who speaks next?")) return { json: { next: names.length > 1 ? names.shift() : names[0] } };
    return says(/Your name is (\w+)/.exec(messages)?.[1] ?? "?");
  });
const selecting = (maxMessages: number, selector: Input = {}) => ({
  ...{ participants: three, speakers: "selector", selector, termination: { maxMessages } },
});

test("a model chooses the next speaker by names, descriptions and the conversation", async () => {
  choosing("cid", "ann", "cid");
  const chat = await wait(null, { input: { task: "Count" }, context: selecting(3, { instructions: "Be fair." }) });
  expect(speakers(chat)).toEqual(["cid", "ann", "cid"]);
  expect(chat.ledger.map(({ agent }) => agent)).toEqual(["selector", "cid", "selector", "ann", "selector", "cid"]);
  const asked = JSON.stringify(model.requests[2]);
  for (const known of ["Knows bob.", "cid: cid", "Be fair.", "Count"]) expect(asked).toContain(known);
  expect(asked).toContain('\\"enum\\":["ann","bob"]'.replaceAll("\\", "")); // cid spoke last, so cid is not offered
});

test("a selector that names nobody is told so, and after three answers the next in the order speaks", async () => {
  choosing("dan");
  const chat = await wait(null, { input: { task: "Count" }, context: selecting(2) });
  expect(speakers(chat)).toEqual(["ann", "bob"]);
  expect(chat.notes).toEqual(Array(2).fill(expect.stringContaining("The selector chose nobody")));
  expect(chat.ledger[0]).toMatchObject({ agent: "selector", outcome: "failed", attempts: 3 });
  expect(JSON.stringify(model.requests[1]?.messages)).toContain("That answer cannot be used");
});

test("candidates limit who may follow, and one candidate needs no model", async () => {
  choosing("ann", "ann");
  const candidates = { ann: ["cid"], cid: ["ann", "cid"] };
  const chat = await wait(null, { input: { task: "Count" }, context: selecting(3, { candidates, allowRepeated: true }) });
  expect(speakers(chat)).toEqual(["ann", "cid", "ann"]);
  expect(chat.ledger.filter(({ agent }) => agent === "selector")).toHaveLength(2);
});

const withPerson = (termination: object, more: Input = {}) => ({
  ...{ participants: [three[0], { name: "eve", role: "the owner", human: true }, three[2]], termination, ...more },
});

test("a person's turn is a question, whose answer is enough to go on, and whose wait is no work", async () => {
  choosing();
  const threadId = await newThread();
  const context = withPerson({ or: [{ text: "Go ahead", by: "eve" }, { maxMessages: 9 }] });
  const asked = await wait(threadId, { input: { task: "Plan" }, context });
  expect(asked.__interrupt__).toMatchObject([
    { value: { type: "input", prompt: "eve, it is your turn to speak.", details: { last: { name: "ann", text: "ann" } } } },
  ]);
  const before = await client.threads.getState<{ workedMs: number }>(threadId);
  const chat = await wait(threadId, { command: { resume: "Go ahead, cid." } });
  expect(chat).toMatchObject({ turns: 2, stopReason: 'text "Go ahead" by eve' });
  expect(chat.messages.at(-1)).toMatchObject({ type: "human", name: "eve", content: "Go ahead, cid." });
  const after = await client.threads.getState<{ workedMs: number }>(threadId);
  expect(after.values.workedMs).toBe(before.values.workedMs);
  expect(model.requests).toHaveLength(1);
});

test("a person who does not answer in time passes", async () => {
  choosing();
  const threadId = await newThread();
  await wait(threadId, { input: { task: "Plan" }, context: withPerson({ maxMessages: 2 }, { askTimeoutSeconds: 0.2 }) });
  const values = async () => (await client.threads.getState<Chat>(threadId)).values;
  await eventually(async () => (await values()).turns).toBe(2);
  expect(speakers(await values())).toEqual(["ann", "cid"]);
  expect((await values()).notes).toEqual(["A turn was passed, because nobody answered within 0.2 s."]);
});

test("a caller ends it with an update of the state", async () => {
  choosing();
  const threadId = await newThread();
  await wait(threadId, { input: { task: "Plan" }, context: withPerson({ or: [{ external: true }, { maxMessages: 9 }] }) });
  const chat = await wait(threadId, { command: { update: { stop: true } } });
  expect(chat).toMatchObject({ turns: 1, stopReason: "external" });
  const next = await wait(threadId, { input: { task: "Again" }, context: withPerson({ maxMessages: 1 }) });
  expect(next).toMatchObject({ turns: 1, stopReason: "maxMessages 1" });
});

test("a fork from an earlier checkpoint ends differently, and the first conversation stays", async () => {
  let answer = "first";
  model.respond(() => says(answer));
  const threadId = await newThread();
  const context = { participants: three, termination: { or: [{ text: "another" }, { maxMessages: 3 }] } };
  expect(await wait(threadId, { input: { task: "Talk" }, context })).toMatchObject({ turns: 3 });
  const history = await client.threads.getHistory<Chat>(threadId, { limit: 50 });
  const second = history.find(({ next, values }) => next.includes("speak") && values.turns === 1);
  answer = "another";
  const checkpointId = second?.checkpoint.checkpoint_id;
  expect(await wait(threadId, { input: null, checkpointId })).toMatchObject({ turns: 2, stopReason: 'text "another"' });
  const first = await client.threads.getState<Chat>(threadId, history[0]?.checkpoint.checkpoint_id ?? "");
  expect(speakers(first.values)).toEqual(["ann", "bob", "cid"]);
});

test("in code, functions choose and end, and a graph or a person can take part", async () => {
  const parrot = new StateGraph(MessagesAnnotation)
    .addNode("repeat", ({ messages }) => ({ messages: [new AIMessage(`${messages.at(-1)?.text}!`)] }))
    .addEdge(START, "repeat")
    .compile({ name: "parrot" });
  const chat = groupChat({
    participants: [parrot, { name: "eve", human: true }],
    next: ({ turns }) => (turns < 2 ? "parrot" : "eve"),
    until: ({ messages }) => (messages.at(-1)?.text === "Enough." ? "eve has enough" : false),
  });
  const graph = Object.assign(chat, { checkpointer: new MemorySaver() });
  const config = { configurable: { thread_id: "1" } };
  const asked = await graph.invoke({ task: "Hello" }, config);
  expect(asked).toMatchObject({ __interrupt__: [{ value: { details: { last: { name: "parrot", text: "Go on.!" } } } }] });
  const { Command } = await import("@langchain/langgraph");
  const done = await graph.invoke(new Command({ resume: "Enough." }), config);
  expect(done).toMatchObject({ stopReason: "eve has enough", turns: 3, result: "Enough." });
  expect(() =>
    groupChat({
      participants: [
        { name: "a", role: "x" },
        { name: "a", role: "y" },
      ],
    }),
  ).toThrow('another participant named "a"');
  expect(() => groupChat({ termination: { text: "DONE" } })).toThrow("nothing bounds the conversation");
});
