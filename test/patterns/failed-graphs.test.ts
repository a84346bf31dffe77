import { END, MessagesValue, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { agent, Ledger, type LedgerEntry, pipeline, requireAgent, runAgent } from "ensemble/patterns";
import { beforeEach, expect, test } from "vitest";
import { Budget, Limits, Models, tierOf } from "../../graphs/agent/context.ts";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => {
  model.lacks.clear();
  answering({ status: 400 });
});

interface Values {
  steps: { observation: string }[];
  outcomes: Record<string, { status: string; error?: string }>;
  ledger: LedgerEntry[];
  __error__?: { error: string; message: string };
}

const draft: ScriptedReply = { tokens: ["x".repeat(8_000)] };
const call = { toolCall: { id: "call_1", name: "graph__reflect", args: { task: "two sentences on rivers" } } };
/** Lets the model write drafts for `reflect`, whose critic answers like this. */
function answering(verdict: ScriptedReply): void {
  model.respond((messages) => {
    if (messages.includes("Judge this draft")) return verdict;
    if (messages.includes("a careful writer")) return draft;
    return messages.includes("tool_call_id") ? { tokens: ["It failed."] } : call;
  });
}

const wait = (graphId: string, input: object, context: object = {}) =>
  client.runs.wait(null, graphId, { input, context, raiseError: false } as object) as Promise<unknown> as Promise<Values>;
const messages = [{ role: "user", content: "Write on rivers" }];
const callsOf = ({ ledger }: Values) => ledger.map((entry) => `${entry.agent} ${entry.outcome}`);
const stage = (work: object) => ({ name: "write", do: work, retries: 0, onFailure: "continue_with_warning" });
const after = { name: "after", do: { task: "Sum up" }, retries: 0 };

test("the calls inside a graph that fails as a tool are in the ledger of the caller", async () => {
  const values = await wait("react", { messages }, { tools: ["graph:reflect"] });
  expect(values.steps[0]?.observation).toMatch(/^Error: /);
  expect(callsOf(values)).toEqual(["react success", "writer success", "critic failed", "react success"]);
});

test("the calls inside a graph that fails as a tool count in the budget of the caller", async () => {
  model.lacks.add("usage"); // a call's cost thus depends on the length of its answer
  const { __error__ } = await wait("react", { messages }, { tools: ["graph:reflect"], budget: { tokens: 1_500 } });
  expect(__error__?.message).toContain("of its budget of 1500");
});

const steps = {
  "with the input of the step": { graph: "reflect" },
  "with an input of its own": { graph: "reflect", input: { task: "two sentences on rivers", unknown: undefined } },
};
for (const [what, work] of Object.entries(steps)) {
  test(`the calls inside a graph that is a step, ${what}, are in the ledger if it fails`, async () => {
    const values = await wait("pipeline", { task: "t", stages: [stage(work), after] });
    expect(values.outcomes.write).toMatchObject({ status: "failed", error: expect.stringContaining("critic failed") });
    expect(callsOf(values)).toEqual(["writer success", "critic failed", "after success"]);
  });

  test(`the calls inside a graph that is a step, ${what}, are in the ledger if it succeeds`, async () => {
    answering({ json: { valid: true, score: 1, problems: [] } });
    const values = await wait("pipeline", { task: "t", stages: [stage(work)] });
    expect(values.outcomes.write).toMatchObject({ status: "success" });
    expect(callsOf(values)).toEqual(["writer success", "critic success"]);
  });
}

const settings = tierOf({ models: Models.parse({}), limits: Limits.parse({ stageMs: 0 }), budget: Budget.parse({}) }, "worker");
const State = new StateSchema({ messages: MessagesValue, ledger: Ledger });
const errand = (name: string) => ({
  ...settings,
  agent: agent({ name, role: `a careful writer`, retries: 0 }),
  task: "Write",
  pattern: "own",
});
/** A graph of a user. It has no node that stores a failed call. */
const own = (last: (config: object) => Promise<object>) =>
  new StateGraph(State)
    .addNode("first", async (_, config) => ({ ledger: (await runAgent(errand("first"), config)).ledger }))
    .addNode("last", (_, config) => last(config))
    .addEdge(START, "first")
    .addEdge("first", "last")
    .addEdge("last", END)
    .compile({ name: "own" });
const run = async (last: (config: object) => Promise<object>) => {
  const graph = pipeline({ stages: [{ ...stage({}), do: own(last) } as never] });
  return (await graph.invoke({ task: "t" } as never)) as unknown as Values;
};

test("the calls before an error of a user's own graph are in the ledger", async () => {
  const values = await run(async () => {
    throw new Error("broken");
  });
  expect(values.outcomes.write).toMatchObject({ status: "failed", error: "broken" });
  expect(callsOf(values).slice(0, 1)).toEqual(["first success"]);
});

test("the calls that an error of a user's own graph carries are in the ledger, and none is there twice", async () => {
  model.respond((text) => (text.includes("Second") ? { status: 400 } : draft));
  const values = await run((config) => requireAgent({ ...errand("last"), task: "Second" }, config));
  expect(callsOf(values)).toEqual(["first success", "last failed"]);
});
