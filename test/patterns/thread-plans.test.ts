import { beforeEach, expect, test } from "vitest";
import { startPatterns } from "./service.ts";

const { client, model, fetch } = await startPatterns();
beforeEach(() => model.script());

/** Runs a pattern on a new thread, and returns the thread's plan. */
async function planOf(graph: string, input: object, context: object = {}) {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, graph, { input: { task: "the task", ...input }, context } as object).catch(() => {});
  const response = await fetch(`/threads/${threadId}/plan`);
  expect(response.status).toBe(200);
  return response.json();
}

const sum = (expression: string) => ({ tool: "calculate", args: { expression } });

test("the steps of a fan-out are the plan of its thread", async () => {
  const tasks = [
    { name: "right", do: sum("1 + 1") },
    { name: "wrong", do: sum("1 +"), required: false, retries: 0 },
  ];
  expect(await planOf("fan-out", { tasks }, { merge: "byName" })).toMatchObject({
    ...{ type: "fan-out", title: "the task", status: "failed" },
    progress: { total: 2, done: 1, failed: 1, percent: 50 },
    subtasks: [
      { id: "right", status: "done", result: expect.anything(), attempts: 1, started_at: expect.any(String), ended_at: expect.any(String) },
      { id: "wrong", status: "failed", error: expect.any(String) },
    ],
    aggregate: { complete: false, results: [{ id: "right" }], failed: [{ id: "wrong" }] },
  });
});

test("the steps of a pipeline depend on each other in its plan, and those that did not begin are pending or skipped", async () => {
  const stages = [
    { name: "one", do: sum("1 +"), retries: 0 },
    { name: "two", do: sum("2 + 2") },
  ];
  expect(await planOf("pipeline", { stages })).toMatchObject({
    type: "pipeline",
    subtasks: [
      { id: "one", status: "failed" },
      { id: "two", depends_on: ["one"], status: expect.toBeOneOf(["pending", "skipped"]) },
    ],
  });
});

test("a supervisor's steps have their agents, dependencies and results in the plan", async () => {
  const step = (id: string, agent: string, ...dependsOn: string[]) => ({ id, agent, task: `do ${id}`, dependsOn });
  model.respond((messages) => {
    if (messages.includes("Split this task")) return { json: { steps: [step("a", "security"), step("b", "quality", "a")] } };
    if (messages.includes("Review the work")) return { json: { decision: "continue", reason: "fine" } };
    if (messages.includes("Write the report")) return { tokens: ["All seen."] };
    return { json: { summary: "seen", findings: [] } };
  });
  expect(await planOf("supervisor", { input: "code" })).toMatchObject({
    ...{ type: "supervisor", status: "done" },
    subtasks: [
      { id: "a", title: "do a", agent: "security", depends_on: [], status: "done", result: { summary: "seen" } },
      { id: "b", agent: "quality", depends_on: ["a"], status: "done" },
    ],
  });
});

test("the steps of plan-execute follow each other in the plan", async () => {
  const decide = { json: { decision: "continue", reason: "fine", steps: [] } };
  const plan = { json: { steps: [{ description: "find a" }, { description: "find b" }] } };
  model.script(plan, { tokens: ["a is 1"] }, decide, { tokens: ["b is 2"] }, { tokens: ["an answer"] });
  expect(await planOf("plan-execute", {})).toMatchObject({
    subtasks: [
      { id: "1", title: "find a", depends_on: [], status: "done", result: "a is 1" },
      { id: "2", title: "find b", depends_on: ["1"], status: "done", result: "b is 2" },
    ],
  });
});

test("the plan of a pattern without steps has the calls of its agents", async () => {
  model.respond(() => ({ json: { draft: "d", score: 1, valid: true, reason: "r", verdict: "pass" } }));
  const plan = (await planOf("reflect", {})) as { subtasks: object[] };
  expect(plan.subtasks[0]).toMatchObject({ id: "call 1", depends_on: [], agent: expect.any(String), attempts: expect.any(Number) });
});
