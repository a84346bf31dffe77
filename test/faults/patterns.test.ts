import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { startCluster, until } from "../cluster-of-processes.ts";
import { startModelServer } from "../model-server.ts";

vi.setConfig({ testTimeout: 240_000 });

/** An endpoint that counts how often each probe of a load test arrives, and can hold back its answers. */
const hits: string[] = [];
let holding: ((probe: string) => boolean) | undefined;
const target = createServer((request, response) => {
  const probe = (request.url ?? "").replace("/?probe=", " ").replace("?probe=", " ");
  hits.push(probe);
  if (!holding?.(probe)) response.setHeader("content-type", "text/plain").end("ok");
});
await once(target.listen(0, "127.0.0.1"), "listening");
afterAll(() => {
  target.closeAllConnections();
  target.close();
});
const address = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;

const model = await startModelServer();
const { client, db, aWorker, rowOf } = await startCluster({
  ENSEMBLE_CONFIG: fileURLToPath(new URL("../../langgraph.json", import.meta.url)),
  OPENAI_BASE_URL: model.baseUrl,
  OPENAI_API_KEY: "test",
  ENSEMBLE_PATTERN_HOSTS: new URL(address).host,
});

/** How often the model was asked each question. A question is identified by words in it. */
let asked: Record<string, number>;
/** The question at which the model stops answering, the first time. The run is then at the point where the test interrupts it. */
let silentAt: string | undefined;

function answering(answers: [words: string, reply: ScriptedReply][]): void {
  asked = {};
  model.respond((messages) => {
    const [words, reply] = answers.find(([text]) => messages.includes(text)) ?? ["?", { tokens: ["unexpected"] }];
    asked[words] = (asked[words] ?? 0) + 1;
    return words === silentAt && asked[words] === 1 ? { hang: true } : reply;
  });
}
beforeEach(() => {
  silentAt = undefined;
});

type Values = Record<string, never>;
const start = async (graphId: string, input: Record<string, unknown>, context?: object) => {
  const { thread_id: threadId } = await client.threads.create();
  return client.runs.create(threadId, graphId, { input, context } as object);
};
const outcome = (run: { thread_id: string; run_id: string }) => client.runs.join(run.thread_id, run.run_id) as Promise<Values>;

const loading = (name: string, difficulty: string, inputSize: number) => ({
  name,
  difficulty,
  inputSize,
  batchSize: 2,
  skillParams: { targets: [`${address}/${name}`], requests: 1, connections: 1, timeoutSeconds: 30 },
});
const load = {
  skill: "performance-testing",
  scenarios: [loading("simple", "easy", 2), loading("medium", "intermediate", 4), loading("complex", "advanced", 8)],
};
const countsOf = (name: string) =>
  Object.entries(
    Object.groupBy(
      hits.filter((hit) => hit.startsWith(`/${name} `)),
      (hit) => hit.split(" ")[1] ?? "",
    ),
  ).map(([probe, times]) => [Number(probe), times?.length ?? 0]);

/** Returns how many parallel tasks have ended and stored their result in this channel. */
async function finished(threadId: string, channel = "progress"): Promise<number> {
  const { rowCount } = await db.query(
    `select from checkpoint_writes
      where thread_id = $1 and checkpoint_ns = '' and channel = $2
        and checkpoint_id = (select max(checkpoint_id) from checkpoints where thread_id = $1 and checkpoint_ns = '')`,
    [threadId, channel],
  );
  return rowCount ?? 0;
}

test("a scenario whose worker is killed goes on at the batch in hand; no batch that finished is run again", async () => {
  hits.length = 0;
  holding = (probe) => probe === "/complex 5";
  const dying = await aWorker();
  const run = await start("scenario", load);
  await until(async () => hits.includes("/complex 5") && (await finished(run.thread_id)) === 2);
  dying.child.kill("SIGKILL");
  holding = undefined;
  await aWorker();
  expect(await outcome(run)).toMatchObject({
    progress: Object.fromEntries(["simple", "medium", "complex"].map((name) => [name, { status: "complete", percent: 100 }])),
  });
  expect(await rowOf(run.run_id)).toMatchObject({ status: "success", attempt: 2 });
  expect(countsOf("complex")).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((probe) => [probe, probe === 4 || probe === 5 ? 2 : 1]));
  expect(countsOf("medium").every(([, times]) => times === 1)).toBe(true);
});

test("a scenario that was cancelled goes on where it was when the thread is run on, and says that a person had stopped it", async () => {
  hits.length = 0;
  holding = (probe) => probe === "/complex 3";
  await aWorker();
  const run = await start("scenario", load);
  await until(async () => hits.includes("/complex 3") && (await finished(run.thread_id)) === 2);
  await client.runs.cancel(run.thread_id, run.run_id, true);
  holding = undefined;
  const result = (await client.runs.wait(run.thread_id, "scenario", { input: null })) as Values;
  expect(result).toMatchObject({ progress: { complex: { status: "complete", items: 8 } } });
  const { complex } = result.progress as unknown as Record<string, { history: { reason: string }[] }>;
  expect(complex?.history.map(({ reason }) => reason)).toEqual(["started", "user_halt", "resumed", "all items were worked on"]);
  expect(countsOf("complex")).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((probe) => [probe, probe === 2 || probe === 3 ? 2 : 1]));
});

const step = (id: string, agent: string, ...dependsOn: string[]) => ({ id, agent, task: `do ${id}`, dependsOn });
const named = (one: object, index: number) => ({ ...one, task: `step ${index === 0 ? "one" : "two"}` });
const objective = (squad: string) => ({ id: squad, squad, goal: `reach ${squad}`, done: "seen", dependsOn: [] });
const work = { json: { summary: "seen", findings: [] } };
const report = { json: { executiveSummary: "All seen.", findingsByCategory: {}, recommendations: [], confidence: 1, gaps: [] } };
const descriptions = ["find a", "find b", "add them"];

const stage = (name: string) => ({ name, do: { task: `do ${name}` } });
const vote = (option: string) => ({ option, position: option, confidence: 1, move: option === "go" ? "concede" : "keep", because: "so" });
const goes = { json: vote("go") };
const stops = { json: vote("stop") };
const debaters = ["an advocate of change", "an advocate of what is proven", "a pragmatist who looks at effort and benefit"];
/** The beginning of a debater's instruction after the first statements. */
const inRound = (role: string) => `${role}.\\nArgue with reasons that can be checked.\\n- Keep`;
const source = (name: string, reads: string, writes: string) => ({ ...stage(name), reads: [reads], writes: [writes] });
const listener = (name: string, on: string) => ({ ...stage(name), on, priority: name === "early" ? 1 : 0 });

const sends = (to: string, payload: string, replyTo = "") => ({ to, type: "COMPLETE", payload, replyTo });
/** The beginning of the request of a mesh's agent in one part of a round. */
const inMesh = (part: string) => (role: string) => `${role}."},{"role":"user","content":"Task: ${part}`;
const looksAs = inMesh("Look at the board");
const objectsAs = inMesh("These are the intentions");
const actsAs = inMesh("Carry out your intention");

interface Broken {
  graphId: string;
  input: Record<string, unknown>;
  context?: object;
  /** The question at which the run is interrupted, and how often each question must be asked in total. */
  at: string;
  asked: Record<string, number>;
  /** Results of parallel tasks that must be stored before the run is interrupted. */
  stored?: { channel: string; count: number };
  answers: [words: string, reply: ScriptedReply][];
  outcome: object;
  /** The result when the model refuses everything, for patterns that then end without an error. */
  refused?: object;
}

const broken: Broken[] = [
  {
    graphId: "react",
    input: { messages: [{ role: "user", content: "What is 2 + 3?" }] },
    at: "tool_call_id",
    answers: [
      ["tool_call_id", { tokens: ["5"] }],
      ["2 + 3", { toolCall: { id: "call_1", name: "calculate", args: { expression: "2 + 3" } } }],
    ],
    asked: { "2 + 3": 1, tool_call_id: 2 },
    outcome: { steps: [{ observation: "5" }], stopped: null },
  },
  {
    graphId: "reflect",
    input: { task: "Write" },
    at: "Judge this draft",
    answers: [
      ["Judge this draft", { json: { valid: true, score: 1, problems: [] } }],
      ["Task: Write", { tokens: ["A draft."] }],
    ],
    asked: { "Task: Write": 1, "Judge this draft": 2 },
    outcome: { result: "A draft.", rounds: [{ score: 1 }] },
  },
  {
    graphId: "plan-execute",
    input: { task: "Add a and b" },
    at: "Do only this step: add them",
    answers: [
      ["Plan how to do this", { json: { steps: descriptions.map((description) => ({ description })) } }],
      ["Reconsider the plan", { json: { decision: "continue", reason: "fine", steps: [] } }],
      ["Answer the task", { tokens: ["3"] }],
      ...descriptions.map((description): [string, ScriptedReply] => [`Do only this step: ${description}`, { tokens: ["done"] }]),
    ],
    asked: {
      "Plan how to do this": 1,
      "Do only this step: find a": 1,
      "Do only this step: find b": 1,
      "Do only this step: add them": 2,
      "Reconsider the plan": 2,
      "Answer the task": 1,
    },
    outcome: { answer: "3", plan: descriptions.map(() => ({ status: "done" })) },
  },
  {
    graphId: "supervisor",
    input: { task: "Review", input: "code" },
    at: "Task: do three", // in the second wave
    answers: [
      ["Split this task", { json: { steps: [step("one", "security"), step("two", "quality"), step("three", "architecture", "one")] } }],
      ["Review the work", { json: { decision: "continue", reason: "fine" } }],
      ["Write the report", { tokens: ["All ", "seen."] }],
      ...["one", "two", "three"].map((id): [string, ScriptedReply] => [`Task: do ${id}`, work]),
    ],
    asked: {
      "Split this task": 1,
      "Task: do one": 1,
      "Task: do two": 1,
      "Task: do three": 2,
      "Review the work": 1, // nothing is reviewed between waves that succeed
      "Write the report": 1,
    },
    outcome: { report: { executiveSummary: "All seen." }, results: { three: { status: "success" } } },
  },
  {
    graphId: "hierarchy",
    input: { mission: "Test", input: "code" },
    at: "Task: do two", // in the second wave of a squad, when the other squad has reported
    stored: { channel: "reports", count: 1 },
    answers: [
      ["Turn this mission", { json: { objectives: ["functional_testing", "security_testing"].map(objective) } }],
      ["Decide what follows", { json: { decision: "continue", reason: "fine" } }],
      ["Report to the commander on the objective: reach functional", { json: { done: true, summary: "reached" } }],
      ["Report to the commander on the objective: reach security", { json: { done: true, summary: "reached" } }],
      ["for the team: reach functional", { json: { steps: [step("one", "ui_tester"), step("two", "api_tester", "one")] } }],
      ["for the team: reach security", { json: { steps: [step("three", "penetration_tester")] } }],
      ["Review the work", { json: { decision: "continue", reason: "fine" } }],
      ["Write the report", { tokens: ["All ", "seen."] }],
      ...["one", "two", "three"].map((id): [string, ScriptedReply] => [`Task: do ${id}`, work]),
    ],
    asked: {
      "Turn this mission": 1,
      "for the team: reach functional": 1,
      "for the team: reach security": 1,
      "Task: do one": 1,
      "Task: do two": 2,
      "Task: do three": 1,
      "Review the work": 2,
      "Report to the commander on the objective: reach functional": 1,
      "Report to the commander on the objective: reach security": 1,
      "Decide what follows": 1,
      "Write the report": 1,
    },
    outcome: { report: { executiveSummary: "All seen." }, reports: { functional_testing: { status: "done" } } },
  },
  {
    graphId: "crew",
    input: {
      agents: { worker: { role: "a worker", goal: "Work" } },
      tasks: Object.fromEntries(
        ["one", "two", "three"].map((name) => [name, { description: `do ${name}.`, expected_output: "words", agent: "worker" }]),
      ),
    },
    at: "do three.",
    answers: ["three", "two", "one"].map((name) => [`do ${name}.`, { tokens: [`said ${name}`] }]),
    asked: { "do one.": 1, "do two.": 1, "do three.": 2 },
    outcome: { status: "completed", raw: "said three" },
    refused: { status: "stopped", error: expect.stringContaining('"one" failed') },
  },
  {
    graphId: "crew",
    input: {
      agents: { worker: { role: "a worker", goal: "Work" } },
      tasks: { one: { description: "do one.", expected_output: "words" } },
      process: "hierarchical",
      manager_llm: "gpt-5",
    },
    at: "Task: step two", // in the second wave of the manager
    answers: [
      ["Split this task", { json: { steps: [step("a", "worker"), step("b", "worker", "a")].map(named) } }],
      ["Review the work", { json: { decision: "finish", reason: "done" } }],
      ["Write the report", { tokens: ["All ", "seen."] }],
      ["Task: step one", work],
      ["Task: step two", work],
    ],
    asked: { "Split this task": 1, "Task: step one": 1, "Task: step two": 2, "Review the work": 1, "Write the report": 1 },
    outcome: { status: "completed", raw: "All seen." },
    refused: { status: "stopped", error: expect.stringContaining("400") },
  },
  {
    graphId: "aggregator",
    input: { results: [{ label: "a", text: "Rivers bend." }], strategies: ["compare", "synthesize"] },
    at: "Write the report",
    answers: [["Write the report", report]],
    asked: { "Write the report": 2 },
    outcome: { report: { synthesis: { executiveSummary: "All seen." } } },
  },
  {
    graphId: "pipeline",
    input: { task: "Write", stages: ["one", "two", "three", "four", "five"].map(stage) },
    at: "do four",
    answers: ["one", "two", "three", "four", "five"].map((name) => [`do ${name}`, { tokens: [`said ${name}`] }]),
    asked: { "do one": 1, "do two": 1, "do three": 1, "do four": 2, "do five": 1 },
    outcome: { status: "completed", output: "said five" },
    refused: { status: "stopped", stoppedAt: "one" },
  },
  {
    graphId: "pipeline",
    input: {
      task: "Write",
      stages: [
        stage("one"),
        { branch: { if: { ask: "Is it long?" }, then: [stage("two"), stage("three")], else: [stage("four")] } },
        stage("five"),
      ],
    },
    at: "do three", // inside an arm, behind a question to the judge
    answers: [
      ["Is it long?", { json: { holds: true, reason: "It is." } }],
      ...["one", "two", "three", "four", "five"].map((name): [string, ScriptedReply] => [`do ${name}`, { tokens: [`said ${name}`] }]),
    ],
    asked: { "do one": 1, "Is it long?": 1, "do two": 1, "do three": 2, "do five": 1 },
    outcome: { status: "completed", output: "said five", path: [{ step: "branch 1", holds: true }] },
    refused: { status: "stopped", stoppedAt: "one" },
  },
  {
    graphId: "saga",
    input: {
      task: "Order",
      saga: ["one", "two", "three"].map((name) => ({ name, execute: { task: `do ${name}` }, compensate: { task: `undo ${name}` } })),
    },
    at: "undo two", // while the saga is undone, because its third step fails
    answers: [
      ["undo two", { tokens: ["undone"] }],
      ["undo one", { tokens: ["undone"] }],
      ["do three", { status: 400 }],
      ["do two", { tokens: ["done"] }],
      ["do one", { tokens: ["done"] }],
    ],
    asked: { "do one": 1, "do two": 1, "do three": 1, "undo two": 2, "undo one": 1 },
    outcome: { status: "compensated", failedAt: "three", compensations: [{ step: "two" }, { step: "one" }] },
    refused: { status: "compensated", failedAt: "one" },
  },
  {
    graphId: "work-engine",
    input: {
      task: "Build",
      stages: ["one", "two"].map((goal) => ({ capability: goal === "one" ? "plan" : "write", goal: `reach ${goal}` })),
    },
    at: "Its goal: reach two", // at the second gate
    answers: [
      ...["one", "two"].map((goal): [string, ScriptedReply] => [
        `Its goal: reach ${goal}`,
        { json: { passed: true, quality: 1, reasons: [], findings: [] } },
      ]),
      ...["one", "two"].map((goal): [string, ScriptedReply] => [`stage: reach ${goal}`, { tokens: [`made ${goal}`] }]),
    ],
    asked: { "stage: reach one": 1, "Its goal: reach one": 1, "stage: reach two": 1, "Its goal: reach two": 2 },
    outcome: { status: "completed", output: "made two" },
    refused: { status: "stopped" },
  },
  {
    graphId: "map-reduce",
    input: { task: "a\nb\nc", map: { task: "map them" }, reduce: { task: "join them" } },
    context: { fanIn: 2, onFailures: "partial" },
    at: "joined", // between the two levels of the tree
    answers: [
      ["joined", { tokens: ["the end"] }],
      ["join them", { tokens: ["joined"] }],
      ["map them", { tokens: ["mapped"] }],
    ],
    asked: { "map them": 3, "join them": 2, joined: 2 },
    outcome: { result: "the end", levels: 2, gaps: [] },
    refused: { result: null, gaps: [{ partition: 0 }, { partition: 1 }, { partition: 2 }] },
  },
  {
    graphId: "fan-out",
    input: { task: "Look", tasks: ["one", "two"].map(stage) },
    context: { limits: { parallel: 1 }, onFailures: "partial" },
    at: "do two",
    answers: [
      ["from the results", { tokens: ["one text"] }],
      ["do two", { tokens: ["said two"] }],
      ["do one", { tokens: ["said one"] }],
    ],
    asked: { "do one": 1, "do two": 2, "from the results": 1 },
    outcome: { answer: "one text", missing: [] },
  },
  {
    graphId: "group-chat",
    input: { task: "Write" },
    at: '"role":"assistant"', // the planner in turn 4, who sees its own words
    answers: [
      ['"role":"assistant"', { tokens: ["APPROVED"] }],
      ["You are a planner", { tokens: ["Two lines."] }],
      ["You are an executor", { tokens: ["Rivers bend."] }],
      ["You are a reviewer", { tokens: ["Too short."] }],
    ],
    asked: { '"role":"assistant"': 2, "You are a planner": 1, "You are an executor": 1, "You are a reviewer": 1 },
    outcome: { turns: 4, stopReason: 'text "APPROVED"', speaker: "planner" },
  },
  {
    graphId: "swarm",
    input: { task: "Where is my invoice?" },
    at: "You are the specialist for invoices",
    answers: [
      ["You are the specialist for invoices", { tokens: ["In your inbox."] }],
      ["You are the first contact", { toolCall: { id: "call_1", name: "transfer_to_billing", args: {} } }],
    ],
    asked: { "You are the first contact": 1, "You are the specialist for invoices": 2 },
    outcome: { result: "In your inbox.", lastAgent: "billing", handoffs: [{ from: "triage", to: "billing" }] },
  },
  {
    graphId: "chooser",
    input: { task: "Add 2 and 3", run: true },
    at: "Add 2 and 3", // in the pattern that it has started
    answers: [
      ["Find facts about the task", { json: { found: [{ fact: "minutes", value: 3, evidence: "Add" }] } }],
      ["Add 2 and 3", { tokens: ["5"] }],
    ],
    asked: { "Find facts about the task": 1, "Add 2 and 3": 2 },
    outcome: { choice: { pattern: "react" }, result: "5" },
  },
  {
    graphId: "panel",
    input: { question: "Shall we go?", ballot: { options: ["go", "stop"] } },
    at: "what can go wrong",
    stored: { channel: "answers", count: 2 },
    answers: [
      ["Write the decision on", { tokens: ["We go."] }],
      ...["what can be built", "what it is worth", "what can go wrong"].map((field): [string, ScriptedReply] => [field, goes]),
    ],
    asked: { "what can be built": 1, "what it is worth": 1, "what can go wrong": 2, "Write the decision on": 1 },
    outcome: { decision: "go", consensus: true, result: "We go." },
  },
  {
    graphId: "debate",
    input: { question: "Shall we go?", ballot: { options: ["go", "stop"] } },
    at: inRound("a pragmatist who looks at effort and benefit"),
    stored: { channel: "answers", count: 2 },
    answers: [
      ["Write the decision on", { tokens: ["We go."] }],
      ...debaters.map((role): [string, ScriptedReply] => [inRound(role), goes]),
      ...debaters.map((role): [string, ScriptedReply] => [role, role.includes("proven") ? stops : goes]),
    ],
    asked: Object.fromEntries([
      ...debaters.flatMap((role) => [
        [role, 1],
        [inRound(role), role.includes("pragmatist") ? 2 : 1],
      ]),
      ["Write the decision on", 1],
    ]),
    outcome: { decision: "go", stopped: "consensus", rounds: [{}, {}] },
  },
  {
    graphId: "team",
    input: { task: "Build", tasks: ["a", "b", "c"].map((id) => ({ id, subject: `the part ${id}` })) },
    at: "Do task c",
    stored: { channel: "turns", count: 2 },
    answers: [
      ["How much do the members", { json: { score: 1, reason: "alone" } }],
      ["Answer from the results", { tokens: ["Built."] }],
      ...["a", "b", "c"].map((id): [string, ScriptedReply] => [`Do task ${id}`, { tokens: ["done"] }]),
    ],
    asked: { "How much do the members": 1, "Do task a": 1, "Do task b": 1, "Do task c": 2, "Answer from the results": 1 },
    outcome: { result: "Built.", tasks: [{ status: "completed" }, { status: "completed" }, { status: "completed" }] },
  },
  {
    graphId: "team", // as a mesh, in the round after a tool
    input: { task: "Build", tasks: [{ id: "a", subject: "the part a", owner: "researcher" }] },
    at: "maker reads it in the next round",
    answers: [
      ["How much do the members", { json: { score: 5, reason: "together" } }],
      ["Answer from the results", { tokens: ["Built."] }],
      ["maker reads it in the next round", { toolCall: { id: "call_2", name: "complete", args: { result: "A" } } }],
      ["Do task a", { toolCall: { id: "call_1", name: "send_message", args: { to: "maker", content: "Look!", summary: "Look" } } }],
    ],
    asked: { "How much do the members": 1, "Do task a": 1, "maker reads it in the next round": 2, "Answer from the results": 1 },
    outcome: { result: "Built.", topology: "mesh", mail: [{ from: "researcher", to: "maker" }], tasks: [{ result: "A" }] },
  },
  {
    graphId: "choreography",
    input: { task: "Check" },
    context: {
      listeners: [
        listener("early", "START"),
        listener("late", "START"), // it is killed when `early` has ended, and before its event is published
        { ...listener("join", "unused"), on: { and: ["early", "late"] } },
      ],
      onFailures: "partial",
      limits: { failures: 2, stageMs: 500 },
    },
    at: "do late",
    stored: { channel: "reactions", count: 1 },
    answers: ["early", "late", "join"].map((name) => [`do ${name}`, { tokens: [`said ${name}`] }]),
    asked: { "do early": 1, "do late": 2, "do join": 1 },
    outcome: { status: "quiescent", output: "said join", events: ["START", "early", "late", "join"].map((type) => ({ type })) },
    refused: { status: "failures", errors: { early: expect.stringContaining("400") } },
  },
  {
    graphId: "blackboard",
    input: { task: "Write" },
    context: {
      sources: [source("left", "task", "name"), source("right", "task", "name"), source("after", "name", "end")],
      onFailures: "partial",
      limits: { failures: 2 },
    },
    at: "Which of them should hold", // two wrote different values for one key
    answers: [
      ["Which of them should hold", { json: { winner: "left", reason: "It is older." } }],
      ["do left", { json: { values: { name: "Thames" }, confidence: 0.5 } }],
      ["do right", { json: { values: { name: "Rhine" }, confidence: 0.5 } }],
      ["do after", { tokens: ["said after"] }],
    ],
    asked: { "do left": 1, "do right": 1, "Which of them should hold": 2, "do after": 1 },
    outcome: { status: "exhausted", board: { name: "Thames", end: "said after" }, settlements: [{ winner: { by: "left" } }] },
    refused: { status: "failures", errors: { left: expect.stringContaining("400") } },
  },
  {
    graphId: "flow",
    input: { task: "Write" },
    context: {
      steps: [stage("one"), stage("two"), { ...stage("three"), on: { and: ["one", "two"] } }, { ...stage("four"), on: "three" }],
      onFailures: "partial",
    },
    at: "do three",
    answers: ["one", "two", "three", "four"].map((name) => [`do ${name}`, { tokens: [`said ${name}`] }]),
    asked: { "do one": 1, "do two": 1, "do three": 2, "do four": 1 },
    outcome: { status: "completed", output: "said four", path: ["one", "two", "three", "four"] },
    refused: { status: "failed", errors: { one: expect.stringContaining("400") } },
  },
  {
    graphId: "bus",
    input: { task: "Write" },
    context: {
      agents: [
        { name: "a", role: "the left one" },
        { name: "b", role: "the right one" },
      ],
      onFailures: "partial",
      limits: { failures: 1 },
    },
    at: "You are the right one", // while its message is not acknowledged
    answers: [
      ["You are the right one", { json: { send: [sends("a", "done", "m2")], done: false } }],
      ['\\"from\\":\\"b\\"', { json: { send: [sends("user", "the end")], done: false } }],
      ["You are the left one", { json: { send: [{ ...sends("b", "do it"), type: "REQUEST" }], done: false } }],
    ],
    asked: { "You are the left one": 1, "You are the right one": 2, '\\"from\\":\\"b\\"': 1 },
    outcome: { status: "answered", output: "the end", log: [{ id: "m1" }, { id: "m2" }, { id: "m3" }, { id: "m4" }] },
    refused: { status: "failures", output: null },
  },
  {
    graphId: "mesh",
    input: { task: "Write", done: { path: "board.b", exists: true } },
    context: {
      agents: [
        { name: "a", role: "the left one" },
        { name: "b", role: "the right one" },
      ],
      onFailures: "partial",
    },
    at: actsAs("the right one"), // after all have announced, and when one has acted
    stored: { channel: "acted", count: 1 },
    answers: [
      ...["the left one", "the right one"].flatMap((role, index): [string, ScriptedReply][] => [
        [actsAs(role), { tokens: ["done"] }],
        [objectsAs(role), { json: { objections: [] } }],
        [looksAs(role), { json: { shouldAct: true, intention: "i", touches: ["ab".charAt(index)] } }],
      ]),
    ],
    asked: Object.fromEntries(
      ["the left one", "the right one"].flatMap((role) => [
        [looksAs(role), 1],
        [objectsAs(role), 1],
        [actsAs(role), role === "the right one" ? 2 : 1],
      ]),
    ),
    outcome: { status: "done", board: { a: "done", b: "done" }, changes: [{ by: "a" }, { by: "b" }] },
    refused: { status: "failures", lost: ["a", "b"] },
  },
  {
    graphId: "state-machine",
    input: { task: "Order" },
    at: "Carry out the order", // in the second of three actions
    answers: [
      ["carried out as it is?", { json: { valid: true, reason: "r" } }],
      ["Carry out the order", { tokens: ["carried out"] }],
      ["Tell the customer", { tokens: ["It is done."] }],
    ],
    asked: { "carried out as it is?": 1, "Carry out the order": 2, "Tell the customer": 1 },
    outcome: { status: "final", state: "COMPLETED", output: "It is done.", facts: { result: "carried out" } },
    refused: { status: "failed", state: "CREATED", error: expect.stringContaining("400") },
  },
];

test.each(broken)("$graphId goes on where its worker was killed, and asks nothing again that was answered", async (one) => {
  answering(one.answers);
  silentAt = one.at;
  const dying = await aWorker();
  const run = await start(one.graphId, one.input, one.context);
  await until(async () => asked[one.at] === 1 && (!one.stored || (await finished(run.thread_id, one.stored.channel)) === one.stored.count));
  dying.child.kill("SIGKILL");
  await aWorker();
  expect(await outcome(run)).toMatchObject(one.outcome);
  expect(asked).toEqual(one.asked);
});

test("of a burst whose worker is killed, only the unfinished tasks are done again", async () => {
  const names = ["one", "two", "three"];
  answering([
    ["from the results", { tokens: ["all"] }],
    ...names.map((name): [string, ScriptedReply] => [`do ${name}`, { tokens: [name] }]),
  ]);
  silentAt = "do two";
  const dying = await aWorker();
  const run = await start("fan-out", { task: "Look", tasks: names.map(stage) });
  await until(async () => asked["do two"] === 1 && (await finished(run.thread_id, "results")) === 2);
  dying.child.kill("SIGKILL");
  await aWorker();
  expect(await outcome(run)).toMatchObject({ answer: "all", missing: [] });
  expect(asked).toEqual({ "do one": 1, "do two": 2, "do three": 1, "from the results": 1 });
});

test("an effect of a saga that was done before its worker was killed is not done again", async () => {
  hits.length = 0;
  holding = (probe) => probe.startsWith("/charge");
  const call = (name: string) => ({ name, execute: { tool: "fetch_page", args: { url: `${address}/${name}` } }, retries: 0 });
  const dying = await aWorker();
  const saga = [call("reserve"), { ...call("charge"), needs: [] }];
  const run = await start("saga", { task: "Order", saga });
  await until(async () => hits.some((hit) => hit.startsWith("/charge")) && (await finished(run.thread_id, "results")) === 1);
  dying.child.kill("SIGKILL");
  holding = undefined;
  await aWorker();
  expect(await outcome(run)).toMatchObject({ status: "completed" });
  expect(hits.filter((hit) => hit.startsWith("/reserve"))).toHaveLength(1);
  expect(hits.filter((hit) => hit.startsWith("/charge"))).toHaveLength(2);
});

test("an action of a state machine whose worker is killed half-way acts once, and its transition is taken once", async () => {
  hits.length = 0;
  holding = undefined;
  answering([
    ["tool_call_id", { tokens: ["paid"] }],
    ["Pay it", { toolCall: { id: "call_1", name: "fetch_page", args: { url: `${address}/pay` } } }],
  ]);
  silentAt = "tool_call_id"; // the payment is made, and the agent has not ended
  const context = {
    agents: [{ name: "payer", role: "r", tools: ["fetch_page"] }],
    initial: "open",
    states: { open: {}, paid: { final: true } },
    transitions: [{ from: "open", event: "pay", to: "paid", action: { agent: "payer", task: "Pay it" } }],
  };
  const dying = await aWorker();
  const run = await start("state-machine", { event: "pay" }, context);
  await until(async () => asked.tool_call_id === 1);
  dying.child.kill("SIGKILL");
  await aWorker();
  expect(await outcome(run)).toMatchObject({ state: "paid", output: "paid", history: [{ from: "open", to: "paid", action: "success" }] });
  expect(hits.filter((hit) => hit.startsWith("/pay"))).toHaveLength(1);
  expect(asked).toEqual({ "Pay it": 1, tool_call_id: 2 });
});

test("every pattern that is cancelled stops asking, and goes on from there when the thread is run on", async () => {
  await aWorker();
  for (const one of broken) {
    model.script(); // whoever leaves a request is noticed anew
    answering(one.answers);
    silentAt = one.at;
    const run = await start(one.graphId, one.input, one.context);
    await until(
      async () => asked[one.at] === 1 && (!one.stored || (await finished(run.thread_id, one.stored.channel)) === one.stored.count),
    );
    await client.runs.cancel(run.thread_id, run.run_id, true);
    await model.abandoned();
    expect(await rowOf(run.run_id)).toMatchObject({ status: "interrupted" });
    expect(await client.runs.wait(run.thread_id, one.graphId, { input: null, context: one.context } as object)).toMatchObject(one.outcome);
    expect(asked).toEqual(one.asked);
  }
});

test("a pattern whose model never answers ends in an error that says so, and its thread can be used again", async () => {
  await aWorker();
  for (const { graphId, input, context, answers, outcome: expected, refused } of broken) {
    model.respond(() => ({ status: 400 }));
    const run = await start(graphId, input, context);
    const failure = graphId === "plan-execute" ? /planner failed/ : graphId === "supervisor" ? /supervisor failed/ : /400|failed/;
    expect(await outcome(run)).toMatchObject(refused ?? { __error__: { message: expect.stringMatching(failure) } });
    answering(answers);
    expect(await client.runs.wait(run.thread_id, graphId, { input, context } as object)).toMatchObject(expected);
  }
});

test("an interrupt outlives its worker, and its answer is enough to continue", async () => {
  model.script(
    { toolCall: { id: "call_1", name: "ask_human", args: { question: "Which colour?", options: ["red", "blue"] } } },
    { tokens: ["Red it is."] },
  );
  const dying = await aWorker();
  const { thread_id: threadId } = await client.threads.create();
  const question = { input: { messages: [{ role: "user", content: "Paint it" }] }, context: { tools: ["ask_human"] } };
  const waiting = await client.runs.wait(threadId, "react", question);
  expect(waiting).toMatchObject({ __interrupt__: [{ value: { type: "selection", prompt: "Which colour?", options: ["red", "blue"] } }] });
  dying.child.kill("SIGKILL");
  await aWorker();
  const { context } = question;
  const answered = (await client.runs.wait(threadId, "react", { command: { resume: "red" }, context })) as { messages: object[] };
  expect(answered.messages.at(-1)).toMatchObject({ content: "Red it is." });
  expect(model.requests).toHaveLength(2);
});

test("a fork from an earlier checkpoint ends differently, and the first result stays", async () => {
  let verdict = 0.9;
  model.respond((messages) =>
    messages.includes("Judge this draft")
      ? { json: { valid: verdict > 0.5, score: verdict, problems: [] } }
      : { tokens: [verdict > 0.5 ? "first ending" : "another ending"] },
  );
  await aWorker();
  const run = await start("reflect", { task: "Write" });
  expect(await outcome(run)).toMatchObject({ result: "first ending" });
  const history = await client.threads.getHistory(run.thread_id, { limit: 20 });
  const written = history.find(({ next }) => next.includes("judge"));
  verdict = 0.2;
  const checkpointId = written?.checkpoint.checkpoint_id ?? "";
  const forked = await client.runs.wait(run.thread_id, "reflect", { input: null, checkpointId, context: { maxRounds: 2 } });
  expect(forked).toMatchObject({ result: "another ending" });
  const first = await client.threads.getState(run.thread_id, history[0]?.checkpoint.checkpoint_id ?? "");
  expect(first.values).toMatchObject({ result: "first ending" });
});
