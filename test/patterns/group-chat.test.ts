import { beforeEach, expect, test } from "vitest";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { collect } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface Chat {
  result: string | null;
  stopReason: string | null;
  speaker: string;
  turns: number;
  notes: string[];
  messages: { type: string; name?: string; content: string; id: string }[];
  ledger: { agent: string; outcome: string; attempts: number }[];
  __interrupt__?: { value: object }[];
}
type Input = Record<string, unknown>;

const says = (text: string) => ({ tokens: [text] });
const run = (input: Input, context: Input = {}, threadId: string | null = null) =>
  client.runs.wait(threadId as string, "group-chat", { input, context }) as Promise<unknown> as Promise<Chat>;
const newThread = async () => (await client.threads.create()).thread_id;

const three = ["ann", "bob", "cid"].map((name) => ({ name, role: `the expert ${name}` }));
/** Answers each participant with the next of its texts. The last one is repeated. */
const answering = (answers: Record<string, (string | ScriptedReply)[]>) =>
  model.respond((messages) => {
    const [, texts = []] = Object.entries(answers).find(([name]) => messages.includes(`You are the expert ${name}.`)) ?? [];
    const reply = (texts.length > 1 ? texts.shift() : texts[0]) ?? `I am ${/Your name is (\w+)/.exec(messages)?.[1]}.`;
    return typeof reply === "string" ? says(reply) : reply;
  });
const talk = (termination: object, context: Input = {}) => ({ participants: three, termination, ...context });
const speakers = ({ messages }: Chat) => messages.filter(({ name }) => name).map(({ name }) => name);

test("planner, executor and reviewer take turns until the reviewer approves", async () => {
  model.script(
    says("Two lines."),
    says("Rivers bend."),
    says("Too short."),
    says("Add one."),
    says("Rivers bend a lot."),
    says("APPROVED"),
  );
  const chat = await run({ task: "Write on rivers" });
  expect(chat).toMatchObject({ result: "APPROVED", stopReason: 'text "APPROVED"', turns: 6, notes: [] });
  const names = ["planner", "executor", "reviewer", "planner", "executor", "reviewer"];
  expect(speakers(chat)).toEqual(names);
  expect(chat.ledger.map(({ agent }) => agent)).toEqual(names);
});

test("each sees what the others said under their names, and its own words as its own", async () => {
  answering({ ann: ["One."], bob: ["Two."] });
  await run({ task: "Count" }, { ...talk({ maxMessages: 4 }), participants: three.slice(0, 2) });
  const seen = model.requests[2]?.messages.map(({ role, content }) => `${role}: ${content}`);
  expect(seen?.slice(1)).toEqual(["user: Count", "assistant: One.", "user: bob: Two."]);
  expect(JSON.stringify(model.requests[2]?.messages)).not.toContain('"name"');
  expect(seen?.[0]).toContain("Your name is ann. You talk with bob (the expert bob).");
});

test("the first of several conditions ends it", async () => {
  answering({ cid: ["Not yet."] });
  const either = { or: [{ text: "APPROVED" }, { maxMessages: 5 }] };
  expect(await run({ task: "Talk" }, talk(either))).toMatchObject({ turns: 5, stopReason: "maxMessages 5" });
  answering({ bob: ["APPROVED"] });
  expect(await run({ task: "Talk" }, talk(either))).toMatchObject({ turns: 2, stopReason: 'text "APPROVED"' });
  answering({ bob: ["APPROVED"] });
  const both = { or: [{ and: [{ text: "APPROVED" }, { maxMessages: 4 }] }, { maxMessages: 9 }] };
  expect(await run({ task: "Talk" }, talk(both))).toMatchObject({ turns: 5, stopReason: 'text "APPROVED" and maxMessages 4' });
});

test("the word does not end it when the wrong participant or the user says it", async () => {
  answering({ ann: ["I say APPROVED"], cid: ["No.", "APPROVED"] });
  const chat = await run({ task: "Talk until APPROVED" }, talk({ or: [{ text: "APPROVED", by: "cid" }, { maxMessages: 9 }] }));
  expect(chat).toMatchObject({ turns: 6, speaker: "cid", stopReason: 'text "APPROVED" by cid' });
});

test("used tokens and time at work are bounds", async () => {
  answering({});
  expect(await run({ task: "Talk" }, talk({ maxTokens: 6 }))).toMatchObject({
    turns: 3,
    stopReason: "maxTokens 6",
    usage: { tokens: 6 },
  });
  answering({ ann: [{ tokens: ["a", "b"], pauseMs: 60 }] });
  expect(await run({ task: "Talk" }, talk({ timeoutSeconds: 0.1 }))).toMatchObject({ turns: 1, stopReason: "timeoutSeconds 0.1" });
});

test("a call of a tool can end it", async () => {
  const participants = three.map((one) => ({ ...one, tools: one.name === "bob" ? ["calculate"] : [] }));
  model.respond((messages) => {
    if (messages.includes('"role":"tool"')) return says("It is 42.");
    if (!messages.includes("You are the expert bob.")) return says("Well.");
    return { toolCall: { id: "call_1", name: "calculate", args: { expression: "6 * 7" } } };
  });
  const termination = { or: [{ functionCalled: "calculate" }, { maxMessages: 9 }] };
  const chat = await run({ task: "Talk" }, { participants, termination });
  expect(chat).toMatchObject({ turns: 2, result: "It is 42.", stopReason: "functionCalled calculate" });
  expect(chat.messages).toHaveLength(3);
});

test("a later run goes on after the last speaker, and its conditions begin anew", async () => {
  answering({});
  const threadId = await newThread();
  expect(await run({ task: "Talk" }, talk({ maxMessages: 4 }), threadId)).toMatchObject({ turns: 4, speaker: "ann" });
  const chat = await run({ messages: [{ role: "user", content: "Go on" }] }, talk({ maxMessages: 4 }), threadId);
  expect(speakers(chat)).toEqual(["ann", "bob", "cid", "ann", "bob", "cid", "ann", "bob"]);
  expect(chat.ledger).toHaveLength(4);
});

test("a failed speaker is tried again with the reason, then passes with a note", async () => {
  const participants = three.map((one) => ({ ...one, retries: 0 }));
  answering({ bob: [{ status: 500 }, "Here I am."], cid: [{ status: 500 }] });
  const chat = await run({ task: "Talk" }, { participants, termination: { maxMessages: 4 } });
  expect(speakers(chat)).toEqual(["ann", "bob", "ann", "bob"]);
  expect(chat.notes).toEqual([expect.stringContaining("A turn was passed, because cid failed:")]);
  expect(chat.ledger.map(({ agent, outcome }) => `${agent} ${outcome}`)).toEqual([
    ...["ann success", "bob failed", "bob success", "cid failed", "cid failed", "ann success", "bob success"],
  ]);
  expect(JSON.stringify(model.requests[2]?.messages[0])).toContain("An earlier try failed:");
});

test("three failures stop it with what was said, and without a word the run fails", async () => {
  answering({ bob: [{ status: 400 }], cid: [""] });
  expect(await run({ task: "Talk" }, talk({ maxMessages: 9 }))).toMatchObject({ turns: 2, stopReason: "failures", result: "I am ann." });
  model.script({ status: 400 });
  await expect(run({ task: "Talk" }, talk({ maxMessages: 9 }))).rejects.toThrow(
    "No participant said anything. A turn was passed, because ann",
  );
  expect(model.requests).toHaveLength(3);
});

test("there must be something to stop", async () => {
  await expect(run({ stop: true })).rejects.toThrow("There is nothing to stop. Send `stop` with `command.update`");
});

test("a user's message of several parts reaches the participants whole", async () => {
  answering({});
  const content = [
    { type: "text", text: "What is this?" },
    { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
  ];
  await run({ messages: [{ role: "user", content }] }, talk({ maxMessages: 1 }));
  expect(model.requests[0]?.messages[1]?.content).toEqual(content);
});

test("a used-up budget ends the run with an error", async () => {
  answering({});
  const context = talk({ maxMessages: 9 }, { budget: { tokens: 4 } });
  await expect(run({ task: "Talk" }, context)).rejects.toThrow("The run has used 4 tokens of its budget of 4");
});

test("tokens are streamed with the name of the speaker", async () => {
  answering({ ann: [{ tokens: ["Riv", "ers"] }], bob: [{ tokens: ["be", "nd"] }] });
  const payload = { input: { task: "Talk" }, context: talk({ maxMessages: 2 }), streamMode: ["messages-tuple" as const] };
  const events = await collect(client.runs.stream(null, "group-chat", payload));
  const told = events.filter(({ event }) => event === "messages").map(({ data }) => data as unknown as [Chat["messages"][0], Input]);
  const spoken = told
    .filter(([{ type, content }]) => type !== "human" && content !== "")
    .map(([{ content }, { speaker }]) => `${speaker}: ${content}`);
  expect(spoken).toEqual(["ann: Riv", "ann: ers", "bob: be", "bob: nd"]);
});

test("old messages are folded into a summary, and the task stays in sight", async () => {
  model.respond((messages) => says(messages.includes("Write the new summary") ? "They counted." : "Well."));
  const { result, ledger } = await run({ task: "Count the ships" }, talk({ maxMessages: 18 }));
  expect(result).toBe("Well.");
  expect(ledger.filter(({ agent }) => agent === "memory")).toHaveLength(1);
  const last = model.requests.at(-1)?.messages.map(({ content }) => String(content)) ?? [];
  expect(last.slice(1, 3)).toEqual(["Count the ships", "Earlier in this conversation: They counted."]);
  expect(last.length).toBeLessThan(15);
});

test("it warns about unusual sizes, and its events tell every turn", async () => {
  answering({});
  const payload = { input: { task: "Talk" }, context: { participants: three.slice(0, 2), termination: { maxMessages: 1 } } };
  const events = await collect(client.runs.stream(null, "group-chat", { ...payload, streamMode: ["custom", "values"] }));
  expect(events.at(-1)?.data).toMatchObject({ notes: ["A conversation of 2 participants is unusual. Three to five work best."] });
  const told = events.filter(({ event }) => event === "custom").map(({ data }) => data);
  expect(told).toMatchObject([{ pattern: "group-chat", type: "turn", speaker: "ann", turn: 1, status: "success" }]);
});
