import { beforeEach, expect, test } from "vitest";
import { nextTime } from "../../graphs/crew/pace.ts";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { eventually } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();

interface Crewed {
  status: string;
  raw: string;
  json: unknown;
  error: string | null;
  tasks_output: { name: string; agent: string | null; status: string; raw: string; json: unknown; error: string | null }[];
  usage: { calls: number };
  messages: { type: string; content: string }[];
  ledger: { agent: string; outcome: string }[];
  __interrupt__?: { value: { type: string; prompt: string; details: unknown } }[];
}

const agents = {
  researcher: { role: "a researcher of {topic}", goal: "Find facts on {topic}", backstory: "You are careful." },
  writer: { role: "a writer", goal: "Write clearly" },
};
const task = (name: string, agent: string, more: object = {}) => ({
  [name]: { description: `do ${name} on {topic}`, expected_output: `the ${name}`, agent, ...more },
});
const inputs = { topic: "rivers" };

let script: Record<string, ScriptedReply[]>;
beforeEach(() => {
  script = {};
  model.respond((messages) => {
    const name = Object.keys(script).find((words) => messages.includes(words)) ?? /do (\w+) on/.exec(messages)?.[1] ?? "?";
    const replies = script[name] ?? [{ tokens: ["said ", name] }];
    return (replies.length > 1 ? replies.shift() : replies[0]) as ScriptedReply;
  });
});

const run = (input: object, threadId: string | null = null) =>
  client.runs.wait(threadId as string, "crew", { input } as object) as Promise<unknown> as Promise<Crewed>;
const promptsFor = (words: string) => model.requests.map(({ messages }) => JSON.stringify(messages)).filter((text) => text.includes(words));

test("tasks run in order, each with the results of those before it or of its context, and placeholders are filled", async () => {
  const tasks = { ...task("one", "researcher"), ...task("two", "writer"), ...task("three", "writer", { context: ["one"] }) };
  const done = await run({ agents, tasks, inputs });
  expect(done).toMatchObject({ status: "completed", raw: "said three", json: null, usage: { calls: 3 } });
  expect(done.tasks_output.map(({ name, agent, raw }) => [name, agent, raw])).toEqual([
    ["one", "researcher", "said one"],
    ["two", "writer", "said two"],
    ["three", "writer", "said three"],
  ]);
  expect(promptsFor("do one on rivers")[0]).toContain("You are a researcher of rivers");
  expect(promptsFor("Expected result: the two")[0]).toContain("said one");
  expect(promptsFor("do three")[0]).toContain("said one");
  expect(promptsFor("do three")[0]).not.toContain("said two");
  expect(done.messages.at(-1)).toMatchObject({ type: "ai", content: "said three" });
});

test("two asynchronous tasks begin together, and a synthesis waits for both", async () => {
  const apart = { async_execution: true };
  const tasks = { ...task("left", "researcher", apart), ...task("right", "researcher", apart), ...task("both", "writer") };
  script = { "do left": [{ tokens: ["left ", "bank"], pauseMs: 300 }], "do right": [{ tokens: ["right ", "bank"], pauseMs: 300 }] };
  const { raw, tasks_output: outputs } = await run({ agents, tasks, inputs });
  expect([raw, outputs.map(({ status }) => status)]).toEqual(["said both", ["success", "success", "success"]]);
  expect(model.requests.map(({ messages }) => JSON.stringify(messages)).findIndex((text) => text.includes("do both"))).toBe(2);
  expect(promptsFor("do left")[0]).not.toContain("right bank");
  expect(promptsFor("do right")[0]).not.toContain("left bank");
  for (const words of ["left bank", "right bank"]) expect(promptsFor("do both")[0]).toContain(words);
});

test("a guardrail sends a result back with its reason, at most three times; then the crew stops with what it has", async () => {
  const tasks = {
    ...task("one", "researcher"),
    ...task("two", "writer", { guardrail: { kind: "minWords", words: 3, onFail: "retry" } }),
    ...task("three", "writer"),
  };
  script = { "do two": [{ tokens: ["short"] }, { tokens: ["long enough now"] }] };
  expect(await run({ agents, tasks, inputs })).toMatchObject({ status: "completed", raw: "said three" });
  expect(promptsFor("do two")).toHaveLength(2);

  script = { "do two": [{ tokens: ["short"] }] };
  const retries = { ...agents, writer: { ...agents.writer, max_retry_limit: 0 } };
  model.requests.length = 0;
  const stopped = await run({ agents: retries, tasks, inputs });
  expect(stopped).toMatchObject({ status: "stopped", raw: "", error: expect.stringContaining('"two" failed') });
  expect(stopped.tasks_output.map(({ status }) => status)).toEqual(["success", "failed", "skipped"]);
  expect(promptsFor("do two")).toHaveLength(4);
});

test("a guardrail in words is judged by a model", async () => {
  const tasks = task("one", "writer", { guardrail: "Content must be objective", guardrail_max_retries: 1 });
  script = {
    "keep this rule? Content must be objective": [
      { json: { passes: false, reason: "too warm" } },
      { json: { passes: true, reason: "fine" } },
    ],
    "do one": [{ tokens: ["lovely"] }, { tokens: ["it is"] }],
  };
  const { raw } = await run({ agents, tasks, inputs });
  expect(raw).toBe("it is");
});

test("a task with a schema gives a value", async () => {
  const schema = { type: "object", properties: { title: { type: "string" } }, required: ["title"] };
  script = { "do one": [{ json: { title: "Rivers" } }] };
  const { json, raw } = await run({ agents, tasks: task("one", "writer", { output_json: schema }), inputs });
  expect([json, JSON.parse(raw)]).toEqual([{ title: "Rivers" }, { title: "Rivers" }]);
});

test("a person sees a result before it counts, and feedback goes back to the agent", async () => {
  const tasks = { ...task("one", "writer", { human_input: true }), ...task("two", "writer") };
  script = { "do one": [{ tokens: ["a draft"] }, { tokens: ["better"] }] };
  const { thread_id: threadId } = await client.threads.create();
  const asked = await run({ agents, tasks, inputs }, threadId);
  expect(asked.__interrupt__).toMatchObject([{ value: { type: "input", prompt: expect.stringContaining('"one"'), details: "a draft" } }]);
  expect(promptsFor("do two")).toEqual([]);
  const answer = (resume: string) => client.runs.wait(threadId, "crew", { command: { resume } }) as Promise<unknown> as Promise<Crewed>;
  expect((await answer("Shorter, please")).__interrupt__).toMatchObject([{ value: { details: "better" } }]);
  expect(promptsFor("do one").at(-1)).toContain("Shorter, please");
  expect(promptsFor("do one").at(-1)).toContain("a draft");
  expect(await answer("approve")).toMatchObject({ status: "completed", tasks_output: [{ raw: "better" }, { raw: "said two" }] });
  expect(model.requests).toHaveLength(3);
});

test("a hierarchical crew has a manager that splits each task among the agents", async () => {
  const tasks = { ...task("one", "researcher"), two: { description: "do two on {topic}", expected_output: "the two" } };
  const step = (agent: string) => ({ json: { steps: [{ id: "a", agent, task: "look", dependsOn: [] }] } });
  script = {
    "Split this task": [step("researcher"), step("writer")],
    "Review the work": [{ json: { decision: "finish", reason: "done" } }],
    "Write the report": [{ tokens: ["one is done"] }, { tokens: ["all is done"] }],
    "Task: look": [{ json: { summary: "seen", findings: [] } }],
  };
  const done = await run({ agents, tasks, inputs, process: "hierarchical", manager_llm: "gpt-5" });
  expect(done).toMatchObject({ status: "completed", raw: "all is done", tasks_output: [{ agent: null, raw: "one is done" }, {}] });
  expect(promptsFor("Split this task")[1]).toContain("one is done");
  const models = model.requests.filter(({ messages }) => JSON.stringify(messages).includes("the manager of a crew"));
  expect(new Set(models.map(({ model }) => model))).toEqual(new Set(["gpt-5"]));
  expect(done.ledger).toHaveLength(8);
});

test("an agent with delegation gives work to a coworker, whose calls are in the ledger", async () => {
  const own = { ...agents, writer: { ...agents.writer, allow_delegation: true } };
  const call = { id: "call_1", name: "delegate_work", args: { coworker: "researcher", task: "count bends", context: "the Rhine" } };
  script = { "count bends\\n": [{ tokens: ["seven"] }], tool_call_id: [{ tokens: ["It has seven."] }], "do one": [{ toolCall: call }] };
  const { raw, ledger } = await run({ agents: own, tasks: task("one", "writer"), inputs });
  expect(raw).toBe("It has seven.");
  expect(ledger.map(({ agent }) => agent)).toEqual(["writer", "researcher", "writer"]);
  expect(promptsFor("tool_call_id")[0]).toContain("seven");
  expect(model.requests[0]?.tools).toMatchObject([{ function: { name: "delegate_work" } }, { function: { name: "ask_coworker" } }]);
});

test("an agent that reasons plans until it is ready, and knows the date if it is told", async () => {
  const careful = { writer: { ...agents.writer, reasoning: true, inject_date: true, date_format: "%Y" } };
  script = { "Plan how to do": [{ json: { plan: "none", ready: false } }, { json: { plan: "first look, then write", ready: true } }] };
  const { tasks_output: outputs } = await run({ agents: careful, tasks: task("one", "writer"), inputs });
  expect(outputs.map(({ name }) => name)).toEqual(["one"]);
  expect(promptsFor("Plan how to do")).toHaveLength(2);
  expect(promptsFor("do one").at(-1)).toContain("first look, then write");
  expect(promptsFor("do one").at(-1)).toContain(`The date is ${new Date().getUTCFullYear()}.`);
});

test("of five calls at two in a minute, each minute has two", () => {
  const times: number[] = [];
  for (let call = 0; call < 5; call++) times.push(nextTime(times, 2, 1_000));
  expect(times).toEqual([1_000, 1_000, 61_000, 61_000, 121_000]);
  expect(nextTime([1_000, 1_000], 2, 70_000)).toBe(70_000);
});

test("an agent waits when its calls of the minute are used up, and a cancel ends the wait", async () => {
  const slow = { writer: { ...agents.writer, max_rpm: 2 } };
  const tasks = { ...task("one", "writer"), ...task("two", "writer"), ...task("three", "writer") };
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "crew", { input: { agents: slow, tasks, inputs } });
  await eventually(async () => Object(Object((await client.threads.getState(threadId)).values).results).two?.status).toBe("success");
  await client.runs.cancel(threadId, runId, true);
  expect((await client.runs.get(threadId, runId)).status).toBe("interrupted");
  expect(model.requests).toHaveLength(2);
});

test("a fork from before the last task ends differently, and the first result stays", async () => {
  const tasks = { ...task("one", "researcher"), ...task("two", "writer") };
  const { thread_id: threadId } = await client.threads.create();
  await run({ agents, tasks, inputs }, threadId);
  const history = await client.threads.getHistory(threadId, { limit: 20 });
  const before = history.find(({ next, values }) => next.includes("step") && Object(values).order?.length === 1);
  script = { "do two": [{ tokens: ["another ending"] }] };
  const checkpointId = before?.checkpoint.checkpoint_id ?? "";
  expect(await client.runs.wait(threadId, "crew", { input: null, checkpointId })).toMatchObject({ raw: "another ending" });
  const first = await client.threads.getState(threadId, history[0]?.checkpoint.checkpoint_id ?? "");
  expect(first.values).toMatchObject({ raw: "said two" });
});
