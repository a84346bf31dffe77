import { beforeEach, expect, test } from "vitest";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { until } from "../command.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();

interface React {
  steps: { action: string; input: unknown; observation: string }[];
  messages: { type: string; tool_call_id?: string }[];
  __interrupt__?: { id: string; value: Record<string, unknown> }[];
}

const adding = (id: string, a: number, b: number) => ({ id, name: "calculate", args: { expression: `${a} + ${b}` } });
const noting = (id: string, text: string) => ({ id, name: "remember", args: { name: id, text } });
const context = { tools: ["calculate", "remember", "now"], approve: ["calculate", "remember"] };
const turn: ScriptedReply = { toolCalls: [adding("one", 1, 1), { id: "clock", name: "now", args: {} }, noting("two", "Blue")] };
const input = { messages: [{ role: "user", content: "Do it" }] };
const run = (threadId: string, payload: object) =>
  client.runs.wait(threadId, "react", { context, ...payload } as object) as Promise<unknown> as Promise<React>;

async function asked(reply = turn) {
  const { thread_id: threadId } = await client.threads.create();
  model.script(reply, { tokens: ["Done."] });
  const { __interrupt__: questions = [] } = await run(threadId, { input });
  return { threadId, questions };
}
const observed = ({ steps }: React) => Object.fromEntries(steps.map(({ action, observation }) => [action, observation]));
beforeEach(() => model.script());

test("a turn with several calls that need approval asks once, in the form that chat clients draw", async () => {
  const { questions } = await asked();
  expect(questions).toHaveLength(1);
  expect(questions[0]?.value).toMatchObject({
    type: "approval",
    prompt: "May these tools be used: calculate, remember?",
    details: [
      { tool: "calculate", args: { expression: "1 + 1" } },
      { tool: "remember", args: { name: "two", text: "Blue" } },
    ],
    action_requests: [
      { name: "calculate", args: { expression: "1 + 1" } },
      { name: "remember", args: { name: "two", text: "Blue" } },
    ],
    review_configs: [{ action_name: "calculate" }, { action_name: "remember" }],
  });
});

test.each([
  ["LangChain's decisions", { decisions: [{ type: "approve" }, { type: "reject", message: "no" }] }],
  ["a list of LangChain's decisions", [{ type: "approve" }, { type: "reject", message: "no" }]],
  [
    "a list of inbox answers",
    [
      { type: "accept", args: null },
      { type: "response", args: "no" },
    ],
  ],
  ["a list of our own", [{ approved: true }, { approved: false, reason: "no" }]],
])("each call gets its own decision: %s", async (_, resume) => {
  const { threadId } = await asked();
  const result = await run(threadId, { command: { resume } });
  expect(observed(result)).toEqual({ calculate: "2", now: expect.any(String), remember: "Refused by a person: no" });
  expect(result.messages.filter(({ type }) => type === "tool").map(({ tool_call_id: id }) => id)).toEqual(["one", "clock", "two"]);
  expect(model.requests).toHaveLength(2);
});

test("a person may change the arguments of one call", async () => {
  const { threadId } = await asked();
  const edited = { type: "edit", edited_action: { name: "calculate", args: { expression: "2 + 3" } } };
  const result = await run(threadId, { command: { resume: { decisions: [edited, { type: "approve" }] } } });
  expect(observed(result)).toMatchObject({ calculate: "5", remember: 'Remembered as "two".' });
});

test("a wrong number of decisions is asked again with the reason, and nothing is run", async () => {
  const { threadId } = await asked();
  for (const [resume, count] of [
    [{ approved: true }, 1],
    [[{ type: "accept", args: null }], 1],
    [{ decisions: [{ type: "approve" }] }, 1],
    [[{ type: "accept" }, { type: "accept" }, { type: "accept" }], 3],
  ] as const) {
    const again = await run(threadId, { command: { resume } });
    expect(again.__interrupt__).toHaveLength(1);
    expect(again.__interrupt__?.[0]?.value.prompt).toContain(
      `There are 2 calls, and ${count} ${count === 1 ? "decision was" : "decisions were"} sent.`,
    );
    expect(again.steps ?? []).toEqual([]);
  }
  const other = { type: "edit", edited_action: { name: "fetch_page", args: {} } };
  const again = await run(threadId, { command: { resume: [{ type: "approve" }, other] } });
  expect(again.__interrupt__?.[0]?.value.prompt).toContain("The decision on remember cannot be used.");
  const { __interrupt__: none, ...result } = await run(threadId, { command: { resume: [{ type: "approve" }, { type: "approve" }] } });
  expect(none).toBeUndefined();
  expect(observed(result)).toMatchObject({ calculate: "2", remember: 'Remembered as "two".' });
});

test("when nobody answers in time, all of the calls are refused", async () => {
  const { thread_id: threadId } = await client.threads.create();
  model.script(turn, { tokens: ["Then not."] });
  await run(threadId, { input, context: { ...context, askTimeoutSeconds: 0.1 } });
  await until(async () => (await client.threads.get(threadId)).status === "idle");
  const { values } = await client.threads.getState<React>(threadId);
  const refused = "Refused by a person: Nobody answered within 0.1 s.";
  expect(observed(values)).toEqual({ calculate: refused, now: expect.any(String), remember: refused });
});

test("a decision counts for its own turn only, also if an endpoint repeats the ids of calls", async () => {
  const { threadId } = await asked();
  model.script({ toolCalls: [adding("one", 3, 4)] }, { tokens: ["Done."] });
  const again = await run(threadId, { command: { resume: [{ type: "approve" }, { type: "approve" }] } });
  expect(again.__interrupt__).toMatchObject([{ value: { details: { tool: "calculate", args: { expression: "3 + 4" } } } }]);
});

test("calls that cannot be run are no question, so one call is asked about as ever", async () => {
  const { questions, threadId } = await asked({ toolCalls: [adding("one", 1, 1), { id: "two", name: "remember", args: "{broken" }] });
  expect(questions[0]?.value).toMatchObject({ action_request: { action: "calculate" }, action_requests: [{ name: "calculate" }] });
  expect((await run(threadId, { command: { resume: { approved: true } } })).steps.map(({ observation }) => observation)).toEqual([
    "2",
    expect.stringContaining("not JSON"),
  ]);
});

test("a thread from before, which waits with a question for each call, is answered one by one", async () => {
  const { threadId } = await asked();
  await client.threads.updateState(threadId, { values: {}, asNode: "approve" }); // each call thus asks separately
  const { __interrupt__: questions = [] } = await run(threadId, { input: null });
  expect(questions.map(({ value }) => value.details)).toEqual([
    { tool: "calculate", args: { expression: "1 + 1" } },
    { tool: "remember", args: { name: "two", text: "Blue" } },
  ]);
  const [first, second] = questions.map(({ id }) => id);
  const half = await run(threadId, { command: { resume: { [String(first)]: [{ type: "accept", args: null }] } } });
  expect(half.__interrupt__?.map(({ id }) => id)).toEqual([second]);
  const result = await run(threadId, { command: { resume: { [String(second)]: { approved: false } } } });
  expect(observed(result)).toEqual({ calculate: "2", now: expect.any(String), remember: "Refused by a person." });
  expect(model.requests).toHaveLength(2);
});

test("the agent of a supervisor's step asks once too", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const calls = { toolCalls: [adding("one", 1, 1), adding("two", 2, 2)] };
  model.respond((messages) => {
    if (messages.includes("Split this task")) return { json: { steps: [{ id: "a", agent: "clerk", task: "add", dependsOn: [] }] } };
    if (messages.includes("Review the work")) return { json: { decision: "finish", reason: "fine" } };
    if (messages.includes("Write the report")) return { tokens: ["Done."] };
    return messages.includes('"role":"tool"') ? { json: { summary: "added", findings: [] } } : calls;
  });
  const team = { roster: [{ name: "clerk", role: "a clerk", tools: ["calculate"], approve: ["calculate"] }] };
  const waiting = await client.runs.wait(threadId, "supervisor", { input: { task: "Add" }, context: team });
  expect((waiting as unknown as React).__interrupt__).toMatchObject([{ value: { action_requests: [{}, {}] } }]);
  const done = await client.runs.wait(threadId, "supervisor", { command: { resume: [{ approved: true }, { approved: false }] } });
  expect(done).toMatchObject({ results: { a: { status: "success" } } });
  const last = JSON.stringify(model.requests.find(({ messages }) => JSON.stringify(messages).includes('"role":"tool"')));
  expect(last).toContain('"content":"2"');
  expect(last).toContain("Refused by a person.");
});
