import { randomUUID } from "node:crypto";
import {
  Command,
  END,
  type GraphNode,
  type LangGraphRunnableConfig,
  type NodeError,
  Overwrite,
  ReducedValue,
  Send,
  START,
  StateGraph,
  StateSchema,
} from "@langchain/langgraph";
import { z } from "zod";
import { type AgentCall, Roster } from "./kit/agent.ts";
import { AskTimeout, askAnswer } from "./kit/ask-human.ts";
import { type Conflict, findConflicts, recommendationsOf, Settlement, Strategy, settleAll, type View } from "./kit/conflicts.ts";
import { Cache, sharedContext } from "./kit/context.ts";
import { enforceBudget, Ledger, type LedgerEntry } from "./kit/ledger.ts";
import { problemsOf, WorkPlan, WorkStep } from "./kit/plan-of-work.ts";
import { report } from "./kit/progress.ts";
import { requireAgent } from "./kit/require.ts";
import { appending } from "./kit/state.ts";
import { asCached, Call, doStep, type Errand, keyOf, outcomeOf, StepFailed, StepResult, writeResult } from "./kit/step-work.ts";
import { Synthesis } from "./kit/synthesis.ts";
import { Material, Task } from "./kit/task.ts";

const mostTries = 3; // the first, and two more by the same agent or another
const mostAdditions = 3;

const reviewer = (name: string, subject: string) => ({
  name,
  role: `a ${name} reviewer`,
  instructions: `Look for ${subject}. Report only what the input shows.`,
});

const Context = z.object({
  ...sharedContext,
  roster: Roster.prefault([
    reviewer("security", "ways in which the subject can be abused"),
    reviewer("performance", "what is slow or does not scale"),
    reviewer("quality", "errors, gaps and what is hard to maintain"),
    reviewer("architecture", "how the parts are cut and what they know of each other"),
  ]),
  cache: Cache,
  conflicts: Strategy.default("confidence").describe("How contradicting recommendations are settled"),
  onFailures: z.enum(["ask", "partial"]).default("ask").describe("After too many failures: ask a person, or go on with what there is"),
  askTimeoutSeconds: AskTimeout,
  timeoutSeconds: z.number().positive().max(3_600).default(60).describe("For each call of the judge"),
});

const State = new StateSchema({
  task: Task.describe("What is to be done"),
  input: Material.describe("What it is to be done with"),
  steps: z
    .array(WorkStep)
    .default(() => [])
    .describe("The plan: who does what, and what it needs first"),
  results: new ReducedValue(
    z
      .record(z.string(), StepResult)
      .default(() => ({}))
      .describe("What came of each step"),
    { inputSchema: z.record(z.string(), StepResult), reducer: (all, more) => ({ ...all, ...more }) },
  ),
  wave: z.string().default("").describe("Marks what is sent out next"),
  calls: appending(Call, "Calls that are not in the ledger yet"),
  again: z
    .array(z.string())
    .default(() => [])
    .describe("Failed steps that are tried once more"),
  additions: z.number().int().default(0).describe("How often steps were added"),
  finished: z.boolean().default(false).describe("No more work is begun"),
  settlements: z
    .array(Settlement)
    .default(() => [])
    .describe("Contradictions and how they were settled"),
  report: Synthesis.nullable().default(null).describe("What a person reads in the end"),
  ledger: Ledger,
});

const { fields } = State;
/** What a caller gives, and what is for a caller to see; the rest of the state is book-keeping. */
const Input = z.object({ task: fields.task, input: fields.input });
const Output = new StateSchema({
  steps: fields.steps,
  results: fields.results,
  settlements: fields.settlements,
  report: fields.report,
  ledger: fields.ledger,
});

type Node = GraphNode<typeof State, z.input<typeof Context>>;
type Config = LangGraphRunnableConfig<z.input<typeof Context>>;
type Steps = z.infer<typeof WorkStep>[];

const contextOf = (config: Config) => Context.parse(config.context ?? {});
const judge = {
  name: "supervisor",
  role: "the supervisor of a team",
  instructions: "Plan, judge and decide. Invent nothing.",
  weight: 1,
  retries: 2,
};

function judging(config: Config, task: string, input?: unknown): Omit<AgentCall<z.ZodType>, "answer"> {
  const { models, budget, limits, timeoutSeconds } = contextOf(config);
  const wide = { ...limits, promptWords: limits.promptWords * 10 }; // the judge sees the work of all
  return { agent: { ...judge, timeoutSeconds }, model: models.judge, temperature: 0.2, task, input, limits: wide, budget };
}

/** The judge's plan, checked in code. A bad one goes back once, with the reasons. */
const route: Node = async ({ task, input }, config) => {
  const roster = contextOf(config).roster.map(({ name, role }) => ({ name, role }));
  const names = roster.map(({ name }) => name);
  const call = judging(config, `Split this task into steps for the team: ${task}`, { team: roster, input });
  const first = await requireAgent({ ...call, answer: { name: "plan", schema: WorkPlan } }, config);
  const problems = problemsOf(first.result.steps, names);
  if (problems.length === 0) return planned(config, first.result.steps, [first.entry]);
  const constraints = ["Your plan before could not be carried out:", ...problems];
  const second = await requireAgent({ ...call, constraints, answer: { name: "plan", schema: WorkPlan } }, config);
  const left = problemsOf(second.result.steps, names);
  if (left.length > 0) throw new Error(`No plan that can be carried out: ${left.join(" ")}`);
  return planned(config, second.result.steps, [first.entry, second.entry]);
};

function planned(config: Config, steps: Steps, ledger: LedgerEntry[]) {
  report(config, "supervisor", "plan", Date.parse(ledger[0]?.at ?? ""), { steps: steps.length });
  return {
    steps,
    wave: randomUUID(),
    // Of an earlier run on the thread nothing is left: its steps may even have had the same ids.
    results: new Overwrite({}),
    calls: new Overwrite([]),
    again: [],
    additions: 0,
    finished: false,
    settlements: [],
    report: null,
    ledger: new Overwrite(ledger),
  };
}

/** One step by one agent. What failed is an outcome; where results are remembered it is thrown, so that it is not. */
async function work(errand: Errand, config: Config) {
  const { limits, budget, cache } = contextOf(config);
  const outcome = await doStep(errand, { limits, budget }, config);
  const { step, agent } = errand;
  report(config, "supervisor", "step", Date.parse(outcome.entry.at), { step: step.id, agent: agent.name, status: outcome.status });
  if (cache && outcome.status !== "success") throw new StepFailed(outcome);
  return writeResult(errand, outcome);
}

/** Makes the outcome of a step that failed; whatever else was thrown, the run's own abort above all, is thrown on. */
function recover(errand: Errand, { error }: NodeError) {
  return new Command({ update: writeResult(errand, outcomeOf(error, errand)), goto: "account" });
}

/** What the wave cost goes into the ledger. A call of another wave was not made now: its result came from the cache. */
const account: Node = ({ calls, wave }, config) => {
  const found = calls.filter((call) => call.wave !== wave);
  for (const { step, entry } of found) {
    report(config, "supervisor", "step", Date.now(), { step, agent: entry.agent, status: entry.outcome, cached: true });
  }
  return { calls: new Overwrite([]), ledger: calls.map((call) => (call.wave === wave ? call.entry : asCached(call.entry))) };
};

const Review = z.object({
  decision: z.enum(["continue", "finish"]),
  reason: z.string(),
  retry: z.array(z.object({ id: z.string(), agent: z.string().optional().describe("Another agent, to reassign it") })).default([]),
  add: z.array(WorkStep).default([]).describe("Steps that turned out to be needed"),
});

/** After each wave: go on, try a failed step again, add steps, or finish. What cannot be reached any more is skipped, never invented. */
const review: Node = async (state, config) => {
  const { roster, budget, limits, onFailures, askTimeoutSeconds } = contextOf(config);
  enforceBudget(state.ledger, budget);
  const failed = state.steps.filter(({ id }) => isFailure(state.results[id]));
  if (failed.length >= limits.failures) return settleFailures(state, failed, onFailures, askTimeoutSeconds);
  const progress = state.steps.map(({ id, agent, task }) => ({ id, agent, task, ...shortly(state.results[id]) }));
  const { result, entry } = await requireAgent(
    { ...judging(config, `Review the work on: ${state.task}`, progress), answer: { name: "review", schema: Review } },
    config,
  );
  report(config, "supervisor", "review", Date.parse(entry.at), { decision: result.decision, reason: result.reason });
  const names = roster.map(({ name }) => name);
  const again = result.retry.filter(({ id }) => failed.some((step) => step.id === id) && (state.results[id]?.tries ?? 0) < mostTries);
  const reassigned = state.steps.map((step) => {
    const agent = again.find(({ id }) => id === step.id)?.agent;
    return agent && names.includes(agent) ? { ...step, agent } : step;
  });
  const mayAdd =
    state.additions < mostAdditions &&
    problemsOf(
      result.add,
      names,
      state.steps.map(({ id }) => id),
    ).length === 0;
  const added = result.decision === "continue" && mayAdd ? result.add : [];
  return {
    steps: [...reassigned, ...added],
    again: again.map(({ id }) => id),
    additions: state.additions + (added.length > 0 ? 1 : 0),
    finished: result.decision === "finish",
    wave: randomUUID(),
    ledger: [entry],
  };
};

/** Too much has gone wrong to go on silently: a person decides, unless nobody is there, or answers. */
function settleFailures({ steps, results }: typeof State.State, failed: Steps, onFailures: "ask" | "partial", timeoutSeconds: AskTimeout) {
  if (onFailures === "partial") return { finished: true, again: [] };
  const done = steps.filter(({ id }) => results[id]?.status === "success").length;
  const prompt = `${done} of ${steps.length} done; failed: ${failed.map(({ id }) => `${id} (${results[id]?.error})`).join(", ")}.`;
  const choice = askAnswer(prompt, ["retry", "accept"], { timeoutSeconds });
  if (choice !== "retry") return { finished: true, again: [] };
  const fresh = Object.fromEntries(
    failed.map(({ id }): [string, StepResult] => [id, { status: "skipped", work: null, error: null, tries: 0 }]),
  );
  return { again: failed.map(({ id }) => id), results: fresh, wave: randomUUID() };
}

/** Contradictions between findings are settled as the context says; the losing view stays in the report. */
const reconcile: Node = async ({ steps, results }, config) => {
  const { roster, conflicts: strategy, askTimeoutSeconds } = contextOf(config);
  const views = steps.flatMap(({ id, agent }): View[] => {
    const weight = roster.find(({ name }) => name === agent)?.weight ?? 1;
    return (results[id]?.work?.findings ?? []).map((finding) => ({ ...finding, agent, weight }));
  });
  const ledger: LedgerEntry[] = [];
  const arbitrate = async (conflict: Conflict) => {
    const task = `These views of "${conflict.subject}" contradict each other. Decide which recommendation holds.`;
    const schema = z.object({ winner: z.enum(recommendationsOf(conflict)), reason: z.string(), confidence: z.number().min(0).max(1) });
    const { result, entry } = await requireAgent({ ...judging(config, task, conflict.views), answer: { name: "ruling", schema } }, config);
    ledger.push(entry);
    return result;
  };
  const settlements = await settleAll(findConflicts(views), { strategy, arbitrate, askTimeoutSeconds });
  return { settlements, ledger };
};

const synthesize: Node = async ({ task, steps, results, settlements }, config) => {
  const done = steps.flatMap(({ id, agent }) => (results[id]?.work ? [{ agent, ...results[id].work }] : []));
  const gaps = steps
    .filter(({ id }) => results[id]?.status !== "success")
    .map(({ id, task: missing }) => `${id} (${missing}): ${results[id]?.error ?? "not done"}`);
  if (done.length === 0) throw new Error(`No step succeeded: ${gaps.join("; ")}`);
  const settled = settlements.map(({ subject, winner, reason }) => ({ subject, recommendation: winner.recommendation, reason }));
  const call = judging(config, `Write the report on: ${task}`, { done, settled });
  const { result, entry } = await requireAgent({ ...call, answer: { name: "report", schema: Synthesis } }, config);
  return { report: { ...result, gaps: [...new Set([...gaps, ...result.gaps])] }, ledger: [entry] };
};

const isFailure = (result: StepResult | undefined) => result?.status === "failed" || result?.status === "timeout";
const shortly = (result: StepResult | undefined) =>
  result ? { status: result.status, summary: result.work?.summary, error: result.error } : { status: "waiting" };

/** All steps that can begin now go out together, as many as may work at once; with none left, the findings are brought together. */
function dispatch({ input, steps, results, again, finished, wave }: typeof State.State, config: Config): Send[] | "reconcile" {
  const { roster, limits, models } = contextOf(config);
  const ready = finished
    ? []
    : steps.filter(
        ({ id, dependsOn }) => (!results[id] || again.includes(id)) && dependsOn.every((other) => results[other]?.status === "success"),
      );
  if (ready.length === 0) return "reconcile";
  return ready.slice(0, limits.parallel).map((step, stage) => {
    const needs = step.dependsOn.length > 0 ? Object.fromEntries(step.dependsOn.map((other) => [other, results[other]?.work])) : input;
    return new Send("work", {
      step,
      stage,
      needs,
      wave,
      model: models.worker,
      tries: results[step.id]?.tries ?? 0,
      agent: roster.find(({ name }) => name === step.agent),
    });
  });
}

/** The policies of a node stand when it is compiled; this key and this lifetime are those of the context. */
function remembering({ ttlSeconds }: NonNullable<Cache>) {
  return { cachePolicy: { ttl: ttlSeconds, keyFunc: ([errand]: unknown[]) => keyOf(errand, ttlSeconds) }, errorHandler: recover };
}

const build = (cache: Cache) =>
  new StateGraph({ state: State, input: Input, output: Output, context: Context })
    .addNode("route", route)
    .addNode("work", work, cache ? remembering(cache) : {})
    .addNode("account", account)
    .addNode("review", review)
    .addNode("reconcile", reconcile)
    .addNode("synthesize", synthesize)
    .addEdge(START, "route")
    .addConditionalEdges("route", dispatch, ["work", "reconcile"])
    .addEdge("work", "account")
    .addEdge("account", "review")
    .addConditionalEdges("review", dispatch, ["work", "reconcile"])
    .addEdge("reconcile", "synthesize")
    .addEdge("synthesize", END)
    .compile({ name: "supervisor" });

const plain = build(undefined);

/** A judge plans, agents work in waves, the judge reviews; what contradicts is reconciled, and one report is written. */
export function graph({ context }: LangGraphRunnableConfig) {
  const given = z.object({ cache: Cache }).safeParse(context); // what does not fit is for the nodes to complain of
  return given.data?.cache ? build(given.data.cache) : plain;
}
