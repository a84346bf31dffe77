import { Client } from "@langchain/langgraph-sdk";
import type pg from "pg";
import { type ScriptedReply, startScriptedModel } from "../../graphs/testing/scripted-model.ts";
import { startService } from "../contenders/service.ts";
import { type Figure, median } from "../measured.ts";
import type { Part } from "../parts.ts";

const warmUp = 3;

interface Case {
  input: Record<string, unknown>;
  /** The model's answers, each with the words that a question must contain. */
  answers: [words: string, reply: ScriptedReply][];
}

const step = (id: string, agent: string, ...dependsOn: string[]) => ({ id, agent, task: `do ${id}`, dependsOn });
const objective = (squad: string) => ({ id: squad, squad, goal: `reach ${squad}`, done: "seen", dependsOn: [] });
const result = (label: string, items: number) => ({ label, items, elapsedMs: items * 2, quality: 0.9 });

const cases: Record<string, Case> = {
  react: {
    input: { messages: [{ role: "user", content: "What is 2 + 3?" }] },
    answers: [
      ["tool_call_id", { tokens: ["5"] }],
      ["2 + 3", { toolCall: { id: "call_1", name: "calculate", args: { expression: "2 + 3" } } }],
    ],
  },
  reflect: {
    input: { task: "Write" },
    answers: [
      ["Judge this draft", { json: { valid: true, score: 1, problems: [] } }],
      ["Write", { tokens: ["A draft."] }],
    ],
  },
  "plan-execute": {
    input: { task: "Add" },
    answers: [
      ["Plan how to do this", { json: { steps: ["a", "b", "c"].map((description) => ({ description })) } }],
      ["Reconsider the plan", { json: { decision: "continue", reason: "fine" } }],
      ["Answer the task", { tokens: ["A"] }],
      ["Do only this step", { tokens: ["done"] }],
    ],
  },
  supervisor: {
    input: { task: "Review", input: "code" },
    answers: [
      ["Split this task", { json: { steps: [step("a", "security"), step("b", "quality"), step("c", "architecture", "a")] } }],
      ["Review the work", { json: { decision: "continue", reason: "fine" } }],
      ["Write the report", { tokens: ["S."] }],
      ["Task: do", { json: { summary: "seen", findings: [] } }],
    ],
  },
  hierarchy: {
    input: { mission: "Test", input: "code" },
    answers: [
      ["Turn this mission", { json: { objectives: ["functional_testing", "security_testing"].map(objective) } }],
      ["Decide what follows", { json: { decision: "continue", reason: "fine" } }],
      ["Report to the commander", { json: { done: true, summary: "seen" } }],
      ["Review the work", { json: { decision: "continue", reason: "fine" } }],
      ["reach functional_testing", { json: { steps: [step("a", "ui_tester"), step("b", "api_tester")] } }],
      ["reach security_testing", { json: { steps: [step("c", "penetration_tester")] } }],
      ["Write the report", { tokens: ["S."] }],
      ["Task: do", { json: { summary: "seen", findings: [] } }],
    ],
  },
  crew: {
    input: { task: "Write" },
    answers: [["", { tokens: ["done"] }]],
  },
  pipeline: {
    input: { task: "Do", stages: ["a", "b", "c"].map((name) => ({ name, do: { task: `do ${name}` } })) },
    answers: [["do ", { tokens: ["done"] }]],
  },
  "fan-out": {
    input: { task: "Do", tasks: ["a", "b", "c"].map((name) => ({ name, do: { task: `do ${name}` } })) },
    answers: [
      ["from the results", { tokens: ["all"] }],
      ["do ", { tokens: ["done"] }],
    ],
  },
  "map-reduce": {
    input: { task: "a\nb\nc" },
    answers: [["", { tokens: ["done"] }]],
  },
  "work-engine": {
    input: { task: "Do" },
    answers: [
      ["Judge the output", { json: { passed: true, quality: 1, reasons: [], findings: [] } }],
      ["", { tokens: ["done"] }],
    ],
  },
  saga: {
    input: { task: "Do" },
    answers: [["", { tokens: ["done"] }]],
  },
  "group-chat": {
    input: { task: "Write" },
    answers: [
      ["You are a planner", { tokens: ["Two lines."] }],
      ["You are an executor", { tokens: ["Rivers bend."] }],
      ["You are a reviewer", { tokens: ["APPROVED"] }],
    ],
  },
  swarm: {
    input: { task: "Where is my invoice?" },
    answers: [
      ["You are the specialist for invoices", { tokens: ["In your inbox."] }],
      ["You are the first contact", { toolCall: { id: "call_1", name: "transfer_to_billing", args: {} } }],
    ],
  },
  chooser: {
    input: { task: "Compare" },
    answers: [["Find facts about the task", { json: { found: [{ fact: "minutes", value: 3, evidence: "Compare" }] } }]],
  },
  panel: {
    input: { question: "Shall we go?", ballot: { options: ["go", "stop"] } },
    answers: [
      ["Write the decision on", { tokens: ["We go."] }],
      ["Give your opinion on", { json: { option: "go", position: "Go.", confidence: 1 } }],
    ],
  },
  debate: {
    input: { question: "Shall we go?", ballot: { options: ["go", "stop"] } },
    answers: [
      ["Write the decision on", { tokens: ["We go."] }],
      ["Answer to the other positions", { json: { option: "go", position: "Go.", confidence: 1, move: "concede", because: "so" } }],
      ["an advocate of what is proven", { json: { option: "stop", position: "Stop.", confidence: 1 } }],
      ["Give your opinion on", { json: { option: "go", position: "Go.", confidence: 1 } }],
    ],
  },
  team: {
    input: { task: "Build", tasks: ["a", "b", "c"].map((id) => ({ id, subject: `the part ${id}` })) },
    answers: [
      ["How much do the members", { json: { score: 1, reason: "alone" } }],
      ["Answer from the results", { tokens: ["Built."] }],
      ["Do task", { tokens: ["done"] }],
    ],
  },
  aggregator: { input: { results: [result("a", 10), result("b", 30), result("c", 80)] }, answers: [] },
  blackboard: {
    input: { task: "Write" },
    answers: [
      ["List what the task is about", { json: { entities: ["a"] } }],
      ["Task: ", { tokens: ["text"] }],
    ],
  },
  flow: {
    input: { task: "Write" },
    answers: [
      ["Is this draft good", { json: { event: "good", reason: "r" } }],
      ["Task: ", { tokens: ["text"] }],
    ],
  },
  choreography: {
    input: { task: "Check" },
    answers: [
      ["Find the most serious", { json: { event: "ISSUE_FOUND", payload: { issue: "i", place: "p" } } }],
      ["Is this problem real", { json: { event: "ISSUE_CONFIRMED", payload: { issue: "i", risk: "low", reason: "r" } } }],
      ["for the log", { tokens: ["logged"] }],
    ],
  },
  bus: {
    input: { task: "Write" },
    answers: [["", { json: { send: [{ to: "user", type: "COMPLETE", payload: "text", replyTo: "" }], done: true } }]],
  },
  mesh: {
    input: { task: "Write" },
    answers: [
      ["Carry out your intention", { tokens: ["text"] }],
      ["These are the intentions", { json: { objections: [] } }],
      ["", { json: { shouldAct: true, intention: "write", touches: ["answer"] } }],
    ],
  },
  "state-machine": {
    input: { task: "Order" },
    answers: [
      ["carried out as it is?", { json: { valid: true, reason: "r" } }],
      ["Task: ", { tokens: ["done"] }],
    ],
  },
  scenario: { input: { skill: "security-scanning" }, answers: [] },
};

const columns = ["model calls", "super-steps", "steps in subgraphs", "ms", "KB of checkpoints"];

/** Measures the cost of each pattern in addition to its model calls, which are answered at once. This reveals a wasteful graph. */
export const measurePatterns: Part = async (stage, { quick }) => {
  const model = await startScriptedModel();
  const env = { ENSEMBLE_CONFIG: "./langgraph.json", OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: "none" };
  const { url, db, stop } = await startService(stage, { env });
  const client = new Client({ apiUrl: url, apiKey: null });
  const rows: Record<string, Figure[]> = {};
  try {
    for (const [graphId, { input, answers }] of Object.entries(cases)) {
      model.respond((messages) => answers.find(([words]) => messages.includes(words))?.[1] ?? { tokens: ["?"] });
      const samples: number[][] = [];
      for (let n = 0; n < warmUp + (quick ? 10 : 30); n++) {
        const before = model.requests.length;
        const { ms, runId } = await timeRun(client, graphId, input);
        const { steps, ownSteps, kilobytes } = await storedBy(db, runId);
        if (n >= warmUp) samples.push([model.requests.length - before, ownSteps, steps - ownSteps, ms, kilobytes]);
      }
      rows[graphId] = columns.map((_, column) => median(samples.map((sample) => sample[column] ?? 0)));
    }
  } finally {
    await stop();
    model.close();
  }
  return { tables: [{ title: "a run of each pattern (medians)", columns, rows }] };
};

async function timeRun(client: Client, graphId: string, input: Record<string, unknown>): Promise<{ ms: number; runId: string }> {
  const { thread_id: threadId } = await client.threads.create();
  let runId = "";
  const started = performance.now();
  const options = { input, onRunCreated: (run: { run_id: string }) => (runId = run.run_id) };
  await client.runs.wait(threadId, graphId, options);
  return { ms: performance.now() - started, runId };
}

/**
 * Returns the super-steps and the stored kilobytes of a run. `steps` includes the super-steps of subgraphs, because each has a checkpoint.
 * `ownSteps` counts those of the pattern's own graph.
 */
async function storedBy(db: pg.Client, runId: string): Promise<{ steps: number; ownSteps: number; kilobytes: number }> {
  const { rows } = await db.query<{ steps: number; ownSteps: number; bytes: string }>(
    `select (select count(*) from checkpoints c where c.run_id = $1 and (c.metadata ->> 'step')::integer >= 0)::integer as steps,
            (select count(*) from checkpoints c
              where c.run_id = $1 and c.checkpoint_ns = '' and (c.metadata ->> 'step')::integer >= 0)::integer as "ownSteps",
            (select coalesce(sum(pg_column_size(c.*)), 0) from checkpoints c where c.run_id = $1)
            + (select coalesce(sum(pg_column_size(b.*)), 0) from checkpoint_blobs b where b.run_id = $1)
            + (select coalesce(sum(pg_column_size(w.*)), 0) from checkpoint_writes w where w.run_id = $1) as bytes`,
    [runId],
  );
  return { steps: rows[0]?.steps ?? 0, ownSteps: rows[0]?.ownSteps ?? 0, kilobytes: Number(rows[0]?.bytes ?? 0) / 1024 };
}
