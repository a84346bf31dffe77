import { expect, test } from "vitest";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();

type Values = Record<string, never>;
/** Executes two runs on one thread. The second has a budget that would be exceeded if the first run counted too. */
async function runTwice(graphId: string, inputs: [Record<string, unknown>, Record<string, unknown>]): Promise<Values[]> {
  const { thread_id: threadId } = await client.threads.create();
  const first = await client.runs.wait(threadId, graphId, { input: inputs[0] });
  const tokens =
    5 +
    (first as { ledger: { inputTokens: number; outputTokens: number }[] }).ledger.reduce(
      (sum, one) => sum + one.inputTokens + one.outputTokens,
      0,
    );
  const second = await client.runs.wait(threadId, graphId, { input: inputs[1], context: { budget: { tokens } } });
  return [first, second] as Values[];
}

const answering = (...answers: [words: string, reply: ScriptedReply][]) =>
  model.respond((messages) => answers.find(([words]) => messages.includes(words))?.[1] ?? { tokens: ["Done."] });

test("reflect begins a second run of a thread with a draft of its own", async () => {
  answering(
    ["Judge this draft", { json: { valid: true, score: 1, problems: [] } }],
    ["on ships", { tokens: ["Ships."] }],
    ["on rivers", { tokens: ["Rivers."] }],
  );
  const [first, second] = await runTwice("reflect", [{ task: "Write on rivers" }, { task: "Write on ships" }]);
  expect(first).toMatchObject({ result: "Rivers." });
  expect(second).toMatchObject({ result: "Ships.", rounds: [{ draft: "Ships." }] });
  expect(JSON.stringify(model.requests)).not.toContain("Revise the draft");
});

test("a supervisor does the steps of a second run, though they have the names of the first", async () => {
  const plan = { steps: [{ id: "one", agent: "security", task: "look", dependsOn: [] }] };
  let looks = 0;
  model.respond((messages) => {
    if (messages.includes("Split this task")) return { json: plan };
    if (messages.includes("Review the work")) return { json: { decision: "finish", reason: "done" } };
    if (messages.includes("Write the report")) return { tokens: ["S"] };
    looks += 1;
    return { json: { summary: `look ${looks}`, findings: [] } };
  });
  const [, second] = await runTwice("supervisor", [{ task: "Look" }, { task: "Look again" }]);
  expect(second).toMatchObject({ results: { one: { work: { summary: "look 2" } } }, report: { executiveSummary: "S" } });
  expect(second?.ledger).toHaveLength(4);
});

test("plan-execute does every step of a second run, though the first finished early", async () => {
  answering(
    ["Plan how to do this", { json: { steps: [{ description: "one" }, { description: "two" }] } }],
    ["Reconsider the plan for: First", { json: { decision: "finish", reason: "enough" } }],
    ["Reconsider the plan", { json: { decision: "continue", reason: "fine" } }],
    ["Answer the task", { tokens: ["A"] }],
  );
  const [first, second] = await runTwice("plan-execute", [{ task: "First" }, { task: "Second" }]);
  expect(first).toMatchObject({ plan: [{ status: "done" }, { status: "pending" }] });
  expect(second).toMatchObject({ plan: [{ status: "done" }, { status: "done" }], answer: "A" });
});

test("react counts what a run costs and does, not what the conversation did before", async () => {
  answering();
  const ask = (content: string) => ({ messages: [{ role: "user", content }] });
  const [, second] = await runTwice("react", [ask("Hello"), ask("And now?")]);
  expect(second).toMatchObject({ messages: [{}, {}, {}, { content: "Done." }], ledger: [{}] });
});

test("an aggregator's second run of a thread is not charged for the first", async () => {
  const synthesis = { json: { executiveSummary: "S", findingsByCategory: {}, recommendations: [], confidence: 1, gaps: [] } };
  model.script(synthesis);
  const input = { results: [{ label: "one", status: "success", text: "It works." }], strategies: ["synthesize"] };
  const [, second] = await runTwice("aggregator", [input, input]);
  expect(second?.ledger).toHaveLength(1);
});
