import { beforeEach } from "vitest";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { startPatterns } from "./service.ts";

export const squadNames = ["functional_testing", "performance_testing", "security_testing"];
const workers: Record<string, string[]> = {
  functional_testing: ["ui_tester", "api_tester", "integration_tester"],
  performance_testing: ["load_generator", "metric_collector", "analyzer"],
  security_testing: ["vulnerability_scanner", "penetration_tester", "dependency_auditor"],
};

export interface Commanded {
  objectives: { id: string; squad: string }[];
  reports: Record<string, { status: string; squad: string; summary: string; findings: object[]; needs: object[]; escalations: string[] }>;
  decisions: { decision: string; changes: string[]; refused: string[] }[];
  settlements: { winner: { agent: string; recommendation: string }; losers: { agent: string }[] }[];
  orders: { question: string; answer: string | null }[];
  report: { executiveSummary: string; gaps: string[]; recommendations: string[] };
  messages: { type: string; content: string }[];
  ledger: { agent: string; outcome: string; at: string; elapsedMs: number; inputTokens: number; outputTokens: number }[];
  __interrupt__?: { id: string; value: { type: string; prompt: string; options: string[] } }[];
}

export const objective = (id: string, squad: string, ...dependsOn: string[]) => ({
  id,
  squad,
  goal: `reach ${id}`,
  done: `${id} holds`,
  dependsOn,
});
export const step = (id: string, agent: string, ...dependsOn: string[]) => ({ id, agent, task: `do ${id}`, dependsOn });
export const finding = (subject: string, recommendation: string, confidence = 0.5) => ({
  ...{ category: "c", subject, statement: "s", recommendation, confidence },
});
export const work = (...findings: object[]): ScriptedReply => ({ json: { summary: "seen", findings } });
export const told = (more: object = {}): ScriptedReply => ({ json: { done: true, summary: "reached", ...more } });
export const goOn: ScriptedReply = { json: { decision: "continue", reason: "fine" } };
export const decided = (more: object): ScriptedReply => ({ json: { decision: "continue", reason: "so", ...more } });

/** The answers of the model. `plans` and `told` are by objective, `work` by step. The last of a list is repeated. */
interface Script {
  objectives: ScriptedReply[];
  plans: Record<string, ScriptedReply[]>;
  work: Record<string, ScriptedReply[]>;
  told: Record<string, ScriptedReply[]>;
  decisions: ScriptedReply[];
  others: ScriptedReply[];
}
export const script = {} as Script;

const next = (replies: ScriptedReply[] | undefined, usual: ScriptedReply) =>
  (replies && replies.length > 1 ? replies.shift() : replies?.[0]) ?? usual;

/** A plan in which each worker of the squad has a step. */
export const everyWorker = (id: string, squad: string): ScriptedReply => ({
  json: { steps: (workers[squad] ?? []).map((name) => step(`${id}_${name}`, name)) },
});

const squadOf = (messages: string) => squadNames.find((name) => messages.includes(`of the squad \\"${name}\\"`)) ?? "";

export const mission = { input: { mission: "Test the shop", input: "the shop" } };
export const three = () => [{ json: { objectives: squadNames.map((name, index) => objective(`o${index + 1}`, name)) } }];

/** Returns the answer of the script to a request. */
function answer(messages: string): ScriptedReply {
  if (messages.includes("Turn this mission")) return next(script.objectives, { status: 400 });
  if (messages.includes("Decide what follows")) return next(script.decisions, goOn);
  if (messages.includes("Group these findings")) return { json: { groups: [] } };
  if (messages.includes("Write the report")) return { tokens: ["Mission ", "done."] };
  const [, id = "", squad] = /reach (\w+)/.exec(messages) ?? [];
  if (messages.includes("Split this task")) return next(script.plans[id], everyWorker(id, squad ?? squadOf(messages)));
  if (messages.includes("Review the work")) return goOn;
  if (messages.includes("Report to the commander")) return next(script.told[id], told());
  const done = /Task: do (\w+)/.exec(messages)?.[1];
  return done ? next(script.work[done], work()) : next(script.others, { status: 400 });
}

/** Starts a service for a test file whose model plays the commander, the squads and their workers as `script` says. */
export async function startCommand() {
  const { client, model } = await startPatterns();
  beforeEach(() => {
    Object.assign(script, { objectives: [], plans: {}, work: {}, told: {}, decisions: [goOn], others: [] });
    model.respond(answer);
  });
  const run = (payload: object, threadId: string | null = null) =>
    client.runs.wait(threadId as string, "hierarchy", payload) as Promise<unknown> as Promise<Commanded>;
  const promptsWith = (words: string) =>
    model.requests.map(({ messages }) => JSON.stringify(messages)).filter((text) => text.includes(words));
  return { client, model, run, promptsWith };
}
