import { MemorySaver } from "@langchain/langgraph";
import { planExecute, react } from "ensemble/patterns";
import { beforeEach, expect, test } from "vitest";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface Entry {
  agent: string;
  outcome: string;
  attempts: number;
  error?: string;
}

const refused: ScriptedReply = { status: 400 };
const step = (id: string, agent: string) => ({ id, agent, task: `do ${id}`, dependsOn: [] });
const finding = (recommendation: string) => ({ category: "c", subject: "x", statement: "s", recommendation, confidence: 0.5 });
const work = (...findings: object[]): ScriptedReply => ({ json: { summary: "seen", findings } });
const plan: ScriptedReply = { json: { steps: [step("a", "security")] } };
const nonsense: ScriptedReply = { json: { steps: [step("a", "nobody")] } };
const roster = ["security", "quality"].map((name) => ({ name, role: "a reviewer", retries: 0 }));
const task = { task: "Do" };

interface Failing {
  what: string;
  graphId: string;
  input?: object;
  context?: object;
  script: ScriptedReply[];
  ledger: string[];
  message: string | RegExp;
}

const failing: Failing[] = [
  { what: "the plan", graphId: "supervisor", script: [refused], ledger: ["supervisor failed"], message: "The supervisor failed:" },
  {
    what: "the second plan",
    graphId: "supervisor",
    script: [nonsense, refused],
    ledger: ["supervisor success", "supervisor failed"],
    message: "The supervisor failed:",
  },
  {
    what: "no plan",
    graphId: "supervisor",
    script: [nonsense, nonsense],
    ledger: ["supervisor success", "supervisor success"],
    message: "No plan that can be carried out",
  },
  {
    what: "the review",
    graphId: "supervisor",
    script: [plan, work(), refused],
    ledger: ["supervisor success", "security success", "supervisor failed"],
    message: "The supervisor failed:",
  },
  {
    what: "the arbitration",
    graphId: "supervisor",
    context: { conflicts: "arbitration", roster, limits: { parallel: 1 } },
    script: [
      { json: { steps: [step("a", "security"), step("b", "quality")] } },
      work(finding("keep")),
      work(finding("drop")),
      { json: { decision: "finish", reason: "fine" } },
      { json: { groups: [] } },
      refused,
    ],
    ledger: ["supervisor", "security", "quality", "supervisor", "supervisor"].map((name) => `${name} success`).concat("supervisor failed"),
    message: "The supervisor failed:",
  },
  {
    what: "the report",
    graphId: "supervisor",
    script: [plan, work(), { json: { decision: "finish", reason: "fine" } }, refused],
    ledger: ["supervisor success", "security success", "supervisor success", "supervisor failed"],
    message: "The supervisor failed:",
  },
  { what: "the plan", graphId: "plan-execute", script: [refused], ledger: ["planner failed"], message: "The planner failed:" },
  {
    what: "the answer",
    graphId: "plan-execute",
    script: [{ json: { steps: [{ description: "one" }] } }, { tokens: ["done"] }, refused],
    ledger: ["planner success", "react success", "planner failed"],
    message: "The planner failed:",
  },
  { what: "the draft", graphId: "reflect", script: [refused], ledger: ["writer failed"], message: "The writer failed:" },
  {
    what: "the critique",
    graphId: "reflect",
    script: [{ tokens: ["a draft"] }, refused],
    ledger: ["writer success", "critic failed"],
    message: "The critic failed:",
  },
  {
    what: "the synthesis",
    graphId: "aggregator",
    input: { results: [{ label: "a", text: "Rivers bend." }], strategies: ["compare", "synthesize"] },
    script: [refused],
    ledger: ["editor failed"],
    message: "The editor failed:",
  },
  { what: "the answer", graphId: "react", input: { messages: ["Hi"] }, script: [refused], ledger: ["react failed"], message: /400/ },
  { what: "the answer", graphId: "chat", input: { messages: ["Hi"] }, script: [refused], ledger: ["chat failed"], message: /400/ },
];

const ledgerOf = async (threadId: string) => {
  const { values } = await client.threads.getState<{ ledger: Entry[] }>(threadId);
  return values.ledger.map(({ agent, outcome }) => `${agent} ${outcome}`);
};

test.each(failing)("a failed call that ends the run is in the ledger: $what of $graphId", async (one) => {
  const { graphId, input = task, context, script, ledger, message } = one;
  const { thread_id: threadId } = await client.threads.create();
  model.script(...script);
  await expect(client.runs.wait(threadId, graphId, { input, context } as object)).rejects.toThrow(message);
  expect(await ledgerOf(threadId)).toEqual(ledger);
  const { tasks } = await client.threads.getState(threadId);
  expect(tasks.map(({ error }) => error)).toEqual([expect.stringMatching(message)]);
});

test.each(failing)("a thread whose run failed can be run on from the failed call: $what of $graphId", async (one) => {
  const { graphId, input = task, context, script, ledger, message } = one;
  if (one.what === "no plan") return; // the calls of this pattern succeed
  const { thread_id: threadId } = await client.threads.create();
  model.script(...script);
  await expect(client.runs.wait(threadId, graphId, { input, context } as object)).rejects.toThrow(message);
  const asked = model.requests.length;
  await expect(client.runs.wait(threadId, graphId, { input: null, context } as object)).rejects.toThrow(message);
  expect(model.requests.length - asked).toBe(1); // only the failed call is repeated
  expect((await ledgerOf(threadId)).at(-1)).toEqual(ledger.at(-1));
});

test("a new task does not inherit the ledger of an earlier run, also if its first call fails", async () => {
  const cases: [string, object, ScriptedReply][] = [
    ["supervisor", task, plan],
    ["plan-execute", task, { json: { steps: [{ description: "one" }] } }],
    ["react", { messages: ["Hi"] }, { tokens: ["Hello"] }],
  ];
  for (const [graphId, input, answer] of cases) {
    const { thread_id: threadId } = await client.threads.create();
    model.script(answer, refused);
    await client.runs.wait(threadId, graphId, { input, raiseError: false } as object);
    model.script(refused);
    await expect(client.runs.wait(threadId, graphId, { input } as object)).rejects.toThrow();
    expect(await ledgerOf(threadId)).toHaveLength(1);
  }
});

test("in plain LangGraph too, the error is thrown, the ledger has the call, and the thread can be run on", async () => {
  const cases: { graph: ReturnType<typeof react>; input: Record<string, unknown>; answers: ScriptedReply[] }[] = [
    { graph: planExecute() as never, input: task, answers: [{ json: { steps: [{ description: "one" }] } }, { tokens: ["done"] }] },
    { graph: react(), input: { messages: ["Hi"] }, answers: [{ tokens: ["done"] }] },
  ];
  for (const { graph, input, answers } of cases) {
    graph.checkpointer = new MemorySaver();
    const config = { configurable: { thread_id: "1" } };
    model.script(refused);
    await expect(graph.invoke(input as never, config)).rejects.toThrow(/400/);
    const { values } = await graph.getState(config);
    expect(values.ledger).toMatchObject([{ outcome: "failed", error: expect.stringContaining("400") }]);
    model.script(...answers);
    const { messages } = (await graph.invoke(null as never, config)) as unknown as { messages: { text: string }[] };
    expect(messages.at(-1)?.text).toBe("done");
  }
});
