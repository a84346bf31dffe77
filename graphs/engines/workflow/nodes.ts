import { setTimeout as sleep } from "node:timers/promises";
import { type LangGraphRunnableConfig, Overwrite, Send } from "@langchain/langgraph";
import { z } from "zod";
import { type Agent, agent } from "../../agent/agent.ts";
import { askAnswer } from "../../agent/ask-human.ts";
import { tierOf } from "../../agent/context.ts";
import { budgetLeft, enforceBudget } from "../../agent/ledger.ts";
import { executionOf } from "../../agent/metrics/executions.ts";
import { type Span, spanAfter } from "../../agent/metrics/span.ts";
import { report } from "../../agent/progress.ts";
import type { Outcome } from "../../agent/run-agent.ts";
import { runAgent } from "../../agent/run-agent.ts";
import type { AgentData } from "../../agent/schema.ts";
import { Answer, type Conditions } from "../conditions.ts";
import { type Code, type Doing, perform, type Surroundings } from "../doing.ts";
import { readyTime } from "./facts.ts";
import { leaveRace, type Race, raceOf } from "./race.ts";
import { inputOf, readySteps, resolvePaths, settleSteps, unanswered } from "./settle.ts";
import type { WorkflowValues } from "./state.ts";
import { isFailed, notDone, type Step, type StepResult } from "./step.ts";

export type Config = LangGraphRunnableConfig;

/** The parsed context of a workflow. */
export type WorkflowContext = Surroundings["context"] & { onFailures?: "ask" | "partial" };

/** The functions, conditions and settings that all nodes of a workflow share. */
export interface Setup {
  name: string;
  code: Code;
  conditions: Conditions;
  contextOf(config: Config): WorkflowContext;
  /**
   * Returns the number of failed steps at which new work stops and a person is asked. If the number or this function is undefined, failed
   * steps are not counted.
   */
  mostFailures?(state: WorkflowValues, context: WorkflowContext): number | undefined;
  /**
   * Returns how many steps must succeed. When that many have succeeded, the remaining steps are aborted. If the number or this function is
   * undefined, no step is aborted.
   */
  enough?(state: WorkflowValues): number | undefined;
  /** Returns the agent of a step, with the parts that the pattern adds to it. */
  equip?(worker: Agent, step: Step, around: Surroundings): Agent;
}

/** The input of the node `step`: one try of a step. */
interface Try {
  step: Step;
  do: Doing;
  input: unknown;
  agents: AgentData[];
  /** The step's result after the earlier tries. Undefined on the first try. */
  before?: StepResult;
  advice: string;
  /** When the step could begin. Undefined for the first steps of a run, because they are ready from the start. */
  readyAt?: number;
  /** The number of steps of the wave that start before this step. The step waits `limits.stageMs` for each of them. */
  stage: number;
  budget: WorkflowContext["budget"];
  race?: Race;
}

/**
 * Returns the state update before a wave, for the first node and for `settle`. Decides conditions and skips steps that cannot run, so that
 * all steps that can begin now have work to do.
 */
export const settled = (setup: Setup, state: WorkflowValues) => {
  const { results, path } = settleSteps(state, setup.conditions);
  const completed = [...completedIn(state.results, state.order), ...completedIn(results, state.order)];
  return { results, path, order: completed };
};

/** Returns the ids of the successful steps that are not in `order` yet, sorted by the time when they ended. */
function completedIn(results: Record<string, StepResult>, order: string[]): string[] {
  const ended = ({ startedAt, elapsedMs }: StepResult) => (startedAt === null ? 0 : Date.parse(startedAt) + elapsedMs);
  const added = Object.entries(results).filter(([id, { status, isOver }]) => status === "success" && isOver && !order.includes(id));
  return added.toSorted(([, one], [, other]) => ended(one) - ended(other)).map(([id]) => id);
}

/** The node that runs when all steps of a wave have ended. It decides conditions and skips steps before the next wave. */
export const settle = (setup: Setup) => (state: WorkflowValues) => settled(setup, state);

/** Returns the next nodes after a wave: more work, a question, or the end. */
export const next = (setup: Setup) => (state: WorkflowValues, config: Config) => {
  const context = setup.contextOf(config);
  const questions = state.steps.flatMap((step) =>
    unanswered(step, state).map((question) => ({ ...question, step, input: inputOf(step, state) })),
  );
  const missing = enoughMissing(setup, state);
  if (Object.values(state.results).some(({ isOpen }) => isOpen)) return "askReviewer";
  if (hasStopped(state) || missing === 0) return "over";
  if (hasTooManyFailures(setup, state, context)) return "askAboutFailures";
  enforceBudget(state.ledger, context.budget);
  const budget = budgetLeft(state.ledger, context.budget);
  if (questions.length > 0)
    return questions.slice(0, context.limits.parallel).map((question) => new Send("decide", { ...question, budget }));
  const ready = readySteps(state)
    .filter(({ collects }) => collects || !state.accepted)
    .slice(0, context.limits.parallel);
  if (ready.length === 0) return "over";
  const race = missing === undefined ? undefined : { wave: state.order.length, missing };
  return ready.map((step, stage) => new Send("step", { ...tryOf(step, state), stage, budget, race } satisfies Try));
};

function hasTooManyFailures({ mostFailures }: Setup, state: WorkflowValues, context: WorkflowContext): boolean {
  const most = mostFailures?.(state, context);
  if (most === undefined || state.accepted) return false;
  return Object.values(state.results).filter((result) => isFailed(result) && result.isOver).length >= most;
}

const enoughMissing = ({ enough }: Setup, state: WorkflowValues): number | undefined => {
  const needed = enough?.(state);
  return needed === undefined ? undefined : Math.max(0, needed - state.order.length);
};

/** Tells whether a step failed and stopped the workflow. */
export const hasStopped = (state: WorkflowValues): boolean => stoppedAt(state) !== undefined;

/** Returns the step whose failure stopped the workflow. */
export const stoppedAt = ({ steps, results }: WorkflowValues): Step | undefined =>
  steps.find(
    ({ id, onFailure }) => isFailed(results[id]) && results[id]?.isOver && (onFailure === "stop" || isCritical(results[id]?.output)),
  );

const isCritical = (output: unknown) => Object(output).status === "critical_failure";

function tryOf(step: Step, state: WorkflowValues): Omit<Try, "stage" | "budget" | "race"> {
  const before = state.results[step.id];
  const handles = before !== undefined && handlerOf(step) !== undefined && before.handled !== undefined;
  const doing = handles ? (handlerOf(step) as Doing) : step.do;
  const about = { input: inputOf(step, state), readyAt: readyTime(step, state) };
  return { step, do: resolvePaths(doing, state) as Doing, ...about, agents: state.agents, before, advice: state.advice };
}

const handlerOf = ({ onFailure }: Step) => (typeof onFailure === "object" && "handler" in onFailure ? onFailure.handler : undefined);

/** Tries a step once. A failure is stored as the outcome of the step. */
export const step = (setup: Setup) => async (sent: Try, config: Config) => {
  const { step, before, advice, stage, race, agents } = sent;
  const context = { ...setup.contextOf(config), budget: sent.budget };
  const own = race && raceOf(race, config);
  const signal = own && config.signal ? AbortSignal.any([config.signal, own]) : (own ?? config.signal);
  const startedAt = Date.now();
  const shared: Surroundings = { pattern: setup.name, code: setup.code, agents, context };
  const { equip } = setup;
  const around = equip ? { ...shared, equip: (worker: Agent) => equip(worker, step, shared) } : shared;
  const notes = [advice, before?.error && `The last try failed: ${before.error}`].filter((note) => typeof note === "string" && note !== "");
  const errand = {
    name: step.id,
    do: sent.do,
    input: sent.input,
    notes: notes as string[],
    timeoutSeconds: step.timeoutSeconds,
    speaks: step.speaks ?? false,
  };
  let workedFrom = startedAt;
  const work = async () => {
    workedFrom = Date.now();
    return checked(step, await perform(errand, around, { ...config, signal }));
  };
  const outcome = await sleep(stage * context.limits.stageMs, undefined, { signal })
    .then(work)
    .catch((error) => {
      config.signal?.throwIfAborted();
      if (own?.aborted) return undefined;
      throw error;
    });
  const times = { readyAt: sent.readyAt ?? startedAt, startedAt: workedFrom };
  const result = outcome
    ? { ...resultOf(step, outcome, before, startedAt), span: spanOf(times, outcome, before, config) }
    : notDone("cancelled", "Enough other steps had succeeded.");
  if (race && result.status === "success") leaveRace(race, config);
  report(config, setup.name, "step", startedAt, { step: step.id, status: result.status });
  const spoken = outcome?.status === "success" && step.speaks && outcome.message ? { spoken: [outcome.message] } : {};
  return { results: { [step.id]: result }, ledger: outcome?.ledger ?? [], ...spoken };
};

/** Returns when a step became ready, started and ended, and how long it waited. Earlier tries of the step are included. */
function spanOf(times: Pick<Span, "readyAt" | "startedAt">, outcome: Outcome, before: StepResult | undefined, config: Config): Span {
  const waitedMs = (outcome.waitedMs ?? 0) + outcome.ledger.reduce((sum, entry) => sum + (entry.waitedMs ?? 0), 0);
  const { resumedAt } = executionOf(config);
  const isFailure = outcome.status !== "success" || isCritical(outcome.result);
  return spanAfter(before?.span, { ...times, endedAt: Date.now(), waitedMs, resumedAt, isFailure });
}

/** If the output of a successful step does not match the step's schema, returns a failure. Otherwise, returns the outcome unchanged. */
function checked({ outputs }: Step, outcome: Outcome): Outcome {
  if (!outputs || outcome.status !== "success") return outcome;
  const { error } = z.fromJSONSchema(outputs as Parameters<typeof z.fromJSONSchema>[0]).safeParse(outcome.result);
  if (!error) return outcome;
  const problem = `The output does not fit its contract: ${z.prettifyError(error).replaceAll("\n", " ")}`;
  return { status: "failed", error: problem, isFatal: false, ledger: outcome.ledger };
}

/** Returns the result of a step after a try. The result says whether the step has ended, and whether its failure handler runs next. */
function resultOf(step: Step, outcome: Outcome, before: StepResult | undefined, started: number): StepResult {
  const tries = (before?.tries ?? 0) + 1;
  const times = { tries, startedAt: new Date(started).toISOString(), elapsedMs: (before?.elapsedMs ?? 0) + Date.now() - started };
  const handled = before?.handled === undefined ? {} : { handled: before.handled };
  if (outcome.status === "success" && !isCritical(outcome.result)) {
    const ending = step.reviewed ? { isOver: false, isOpen: true } : { isOver: true };
    return { status: "success", output: outcome.result ?? null, error: null, ...times, ...handled, ...ending };
  }
  const failure =
    outcome.status === "success"
      ? { status: "failed" as const, output: outcome.result, error: "The step reported a critical failure.", isFatal: true }
      : { status: outcome.status, output: null, error: outcome.error, isFatal: outcome.isFatal };
  const isOver = failure.isFatal || tries > step.retries;
  if (!isOver || isCritical(failure.output)) return { ...failure, ...times, ...handled, isOver };
  const { onFailure } = step;
  if (typeof onFailure === "object" && "use" in onFailure) {
    return { status: "success", output: onFailure.use, error: null, handled: failure.error, ...times, isOver };
  }
  const isHandlerNext = handlerOf(step) !== undefined && before?.handled === undefined;
  return isHandlerNext ? { ...failure, ...times, handled: failure.error, isOver: false } : { ...failure, ...times, ...handled, isOver };
}

const referee = agent({ name: "judge", role: "a careful judge", instructions: "Answer the question with yes or no, and say why." });

interface Question {
  step: Step;
  ask: string;
  model?: string;
  input: unknown;
  budget: WorkflowContext["budget"];
}

/** Asks the judge the question of a condition. The answer is stored, so that the question is not asked again. */
export const decide =
  (setup: Setup) =>
  async ({ step, ask, model, input, budget }: Question, config: Config) => {
    const startedAt = Date.now();
    const tier = tierOf({ ...setup.contextOf(config), budget }, "judge");
    const assignment = { ...tier, ...(model && { model }), agent: { ...referee, output: Answer }, task: ask, input, pattern: setup.name };
    const outcome = await runAgent<z.infer<typeof Answer>>(assignment, config);
    const answer = outcome.status === "success" ? outcome.result : { holds: false, reason: `The judge failed: ${outcome.error}` };
    report(config, setup.name, "condition", startedAt, { step: step.id, ask, ...answer });
    return { answers: { [step.id]: { [ask]: answer } }, ledger: outcome.ledger };
  };

/**
 * Asks a person what to do about too many failures. The person may retry, with or without new instructions, or accept the partial results.
 * If `onFailures` in the context is `partial`, the results are accepted and nobody is asked.
 */
export const askAboutFailures = (setup: Setup) => (state: WorkflowValues, config: Config) => {
  const { askTimeoutSeconds: timeoutSeconds = null, onFailures } = setup.contextOf(config);
  if (onFailures === "partial") return accept(state);
  const failed = Object.entries(state.results).filter(([, result]) => isFailed(result));
  const prompt = `${state.order.length} of ${state.steps.length} done; failed: ${failed.map(([id, { error }]) => `${id} (${error})`).join(", ")}.`;
  const choice = askAnswer(prompt, ["retry", "adjust", "accept"], { timeoutSeconds });
  if (choice === undefined || choice === "accept") return accept(state);
  const advice = choice === "adjust" ? askAnswer("What should be done differently?", undefined, { timeoutSeconds }) : state.advice;
  if (advice === undefined) return accept(state);
  const kept = Object.entries(state.results).filter(([, { status }]) => status === "success" || status === "skipped");
  return { results: new Overwrite(Object.fromEntries(kept)), advice };
};

/**
 * Returns the update that accepts the results so far. After this update, a step can begin only if it collects the results of other steps.
 */
function accept({ steps, results }: WorkflowValues) {
  const left = steps.filter(({ id, collects }) => !collects && !results[id]?.isOver);
  const ended = left.map(({ id }) => [id, results[id] ? { ...results[id], isOver: true } : notDone("skipped", "No more work was begun.")]);
  return { accepted: true, results: Object.fromEntries(ended) };
}
