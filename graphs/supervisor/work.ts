import { setTimeout as sleep } from "node:timers/promises";
import { Command, type NodeError, Overwrite } from "@langchain/langgraph";
import {
  type Agent,
  type AgentData,
  type Budget,
  BudgetExceeded,
  entryOf,
  executionOf,
  fromData,
  jsonSchemaOf,
  type LedgerEntry,
  type Outcome,
  report,
  runAgent,
  type Span,
  spanAfter,
  tierOf,
} from "ensemble/patterns";
import { Work } from "./conflicts.ts";
import type { Config, Setup } from "./context.ts";
import type { WorkStep } from "./plan.ts";
import type { Node } from "./state.ts";

/** The input of an agent for one step. */
export interface Errand {
  step: WorkStep;
  /** The agent: its data from the run's roster, or the name of an agent that is defined in code. */
  agent: AgentData | string;
  /** The model for agents that have no model of their own. */
  model: string;
  temperature: number | undefined;
  /** The task, with a person's advice and the error of the last try. */
  task: string;
  needs: unknown;
  advice: string;
  /** The number of earlier tries of the step. */
  tries: number;
  /** The times of the earlier tries. */
  before: Span | undefined;
  /** When the step could begin. Undefined if it needs no other step. */
  readyAt: number | undefined;
  /** The number of steps in the wave that start before this step. The step waits `limits.stageMs` for each of them. */
  stage: number;
  wave: string;
  /** The part of the run's budget that is left. */
  budget: Budget;
}

type Timed = Outcome & { span?: Span };
type Failure = Exclude<Timed, { status: "success" }>;

/** Lets an agent do one step. A failure is stored as the outcome of the step. If the budget is used up, the step counts as not tried. */
export const work = (setup: Setup) => async (errand: Errand, config: Config) => {
  try {
    return writeResult(errand, await attempt(setup, errand, config));
  } catch (error) {
    if (error instanceof BudgetExceeded) return { calls: [callOf(errand, error.ledger)] };
    throw error;
  }
};

/**
 * Lets an agent do one step, in the node whose results LangGraph caches. A failure is thrown, because LangGraph would cache a failure that
 * the node returned.
 */
export const recall = (setup: Setup) => async (errand: Errand, config: Config) => {
  const outcome = await attempt(setup, errand, config);
  if (outcome.status !== "success") throw new StepFailed(outcome);
  return writeResult(errand, outcome);
};

async function attempt(setup: Setup, errand: Errand, config: Config): Promise<Timed> {
  const context = setup.contextOf(config);
  const { step, model, temperature, task, needs: input, budget, stage, before } = errand;
  const { readyAt = Date.now() } = errand;
  await sleep(stage * context.limits.stageMs, undefined, { signal: config.signal });
  const startedAt = Date.now();
  const agent = agentOf(setup, errand);
  const answering = agent.output || agent.graph ? agent : { ...agent, output: Work };
  const assignment = { ...tierOf(context, "worker"), model, temperature, budget, pattern: "supervisor" };
  const outcome = await runAgent({ agent: answering, task, input, ...assignment }, config);
  report(config, "supervisor", "step", startedAt, { step: step.id, agent: agent.name, status: outcome.status });
  const waitedMs = outcome.ledger.reduce((sum, entry) => sum + (entry.waitedMs ?? 0), 0);
  const { resumedAt } = executionOf(config);
  const isFailure = outcome.status !== "success";
  return { ...outcome, span: spanAfter(before, { readyAt, startedAt, endedAt: Date.now(), waitedMs, resumedAt, isFailure }) };
}

function agentOf({ agents }: Setup, { agent }: Errand): Agent {
  const found = typeof agent === "string" ? agents.find(({ name }) => name === agent) : fromData(agent);
  if (!found) throw new Error(`There is no agent "${agent}" any more.`);
  return found;
}

/** Returns the state update for the outcome of a step. */
function writeResult(errand: Errand, outcome: Timed) {
  const { step, tries } = errand;
  const { status, ledger: entries, span } = outcome;
  const ended =
    outcome.status === "success"
      ? { work: outcome.result, error: null, isFatal: false }
      : { work: null, error: outcome.error, isFatal: outcome.isFatal };
  return { results: { [step.id]: { status, ...ended, tries: tries + 1 } }, calls: [callOf(errand, entries, span)] };
}

const callOf = ({ step, wave }: Errand, entries: LedgerEntry[], span?: Span) => ({ step: step.id, wave, entries, ...(span && { span }) });

/** The error that carries a failed outcome. It is thrown so that LangGraph does not cache the failure. */
class StepFailed extends Error {
  override name = "StepFailedError";
  readonly outcome: Failure;

  constructor(outcome: Failure) {
    super(outcome.error);
    this.outcome = outcome;
  }
}

/**
 * Returns the outcome of a step whose error was thrown by `recall`. If the budget is used up, returns only the step's ledger entries.
 * Rethrows all other errors, such as the abort of the run.
 */
function recover(errand: Errand, { error }: NodeError) {
  if (error.name === "BudgetExceededError") {
    const { ledger = [] } = error as Partial<BudgetExceeded>;
    return new Command({ update: { calls: [callOf(errand, ledger)] }, goto: "account" });
  }
  if (error.name !== "StepFailedError") throw error;
  return new Command({
    update: writeResult(errand, error instanceof StepFailed ? error.outcome : remembered(error, errand)),
    goto: "account",
  });
}

/**
 * Returns the outcome of a step that failed in an earlier attempt of the run. LangGraph stores only the message of an error, so the ledger
 * entry has no cost.
 */
function remembered({ message }: Error, { step, agent, model, budget }: Errand): Failure {
  const name = typeof agent === "string" ? agent : agent.name;
  const called = { agent: name, task: step.task, model, started: Date.now(), budget };
  const ledger = [entryOf(called, "failed", 1, { inputTokens: 0, outputTokens: 0 }, message)];
  return { status: "failed", error: message, isFatal: false, ledger };
}

/**
 * Adds the ledger entries of the ended steps to the ledger. Entries with the id of another wave come from the cache, so they are added with
 * a cost of 0.
 */
export const account: Node = ({ calls, wave, spans }, config) => {
  const found = calls.filter((call) => call.wave !== wave);
  const timed = calls.flatMap((call) => (call.wave === wave && call.span ? [[call.step, call.span] as const] : []));
  for (const { step, entries } of found) {
    const { agent, outcome: status } = entries.at(-1) ?? {};
    report(config, "supervisor", "step", Date.now(), { step, agent, status, cached: true });
  }
  return {
    calls: new Overwrite([]),
    spans: { ...spans, ...Object.fromEntries(timed) },
    ledger: calls.flatMap((call) => (call.wave === wave ? call.entries : call.entries.map(asCached))),
  };
};

/** Returns the ledger entry of a cached result. Its cost is 0. */
function asCached(entry: LedgerEntry): LedgerEntry {
  return { ...entry, elapsedMs: 0, attempts: 0, inputTokens: 0, outputTokens: 0, dollars: 0, cached: true };
}

const aDay = 86_400;

/** The cache policy and the error handler of the node `recall`. */
export const remembering = (setup: Setup) => ({
  cachePolicy: { ttl: aDay, keyFunc: ([errand]: unknown[]) => keyOf(setup, errand as Errand) },
  errorHandler: recover,
});

/**
 * Returns the cache key of a step. It includes the task, the agent and the needed results, but neither the time nor the tries. It also
 * includes the step's id, because a cached result is returned under its original id.
 */
function keyOf(setup: Setup, errand: Errand): string {
  const { step, model, temperature, needs = null, advice } = errand;
  const { weight: _weight, timeoutSeconds: _timeout, retries: _retries, ...agent } = agentOf(setup, errand);
  const tools = agent.tools.map((tool) => (typeof tool === "string" ? tool : tool.name));
  const output = agent.output && jsonSchemaOf(agent.output);
  const own = { ...agent, tools, output, middleware: agent.middleware.map(({ name }) => name), graph: undefined };
  const answered = typeof agent.model === "object" ? agent.model.getName() : agent.model;
  return JSON.stringify([{ ...own, model: answered ?? model }, temperature, step.id, step.task, needs, advice]);
}
