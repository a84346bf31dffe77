import { setTimeout as sleep } from "node:timers/promises";
import { Command, type NodeError, Overwrite } from "@langchain/langgraph";
import {
  type Agent,
  type AgentData,
  type Budget,
  entryOf,
  fromData,
  jsonSchemaOf,
  type LedgerEntry,
  type Outcome,
  report,
  runAgent,
  tierOf,
} from "ensemble/patterns";
import { Work } from "./conflicts.ts";
import type { Config, Setup } from "./context.ts";
import type { WorkStep } from "./plan.ts";
import type { Node } from "./state.ts";

/** A step on its way to an agent. */
export interface Errand {
  step: WorkStep;
  /** An agent of the run's roster, or the name of one in the code. */
  agent: AgentData | string;
  /** The tier's model, for an agent without its own. */
  model: string;
  temperature: number | undefined;
  /** The task, with a person's advice and the error of the last try. */
  task: string;
  needs: unknown;
  advice: string;
  /** Number of earlier tries. */
  tries: number;
  /** Number of steps that start before it. */
  stage: number;
  wave: string;
  /** The rest of the run's budget. */
  budget: Budget;
}

type Failure = Exclude<Outcome, { status: "success" }>;

/** Does one step with one agent. A failure is an outcome too. */
export const work = (setup: Setup) => async (errand: Errand, config: Config) => writeResult(errand, await attempt(setup, errand, config));

/** Does one step for a node with a cache. LangGraph keeps whatever a node returns, so a failure is thrown. */
export const recall = (setup: Setup) => async (errand: Errand, config: Config) => {
  const outcome = await attempt(setup, errand, config);
  if (outcome.status !== "success") throw new StepFailed(outcome);
  return writeResult(errand, outcome);
};

async function attempt(setup: Setup, errand: Errand, config: Config): Promise<Outcome> {
  const context = setup.contextOf(config);
  const { step, model, temperature, task, needs: input, budget, stage } = errand;
  await sleep(stage * context.limits.stageMs, undefined, { signal: config.signal });
  const startedAt = Date.now();
  const agent = agentOf(setup, errand);
  const answering = agent.output || agent.graph ? agent : { ...agent, output: Work };
  const assignment = { ...tierOf(context, "worker"), model, temperature, budget, pattern: "supervisor" };
  const outcome = await runAgent({ agent: answering, task, input, ...assignment }, config);
  report(config, "supervisor", "step", startedAt, { step: step.id, agent: agent.name, status: outcome.status });
  return outcome;
}

function agentOf({ agents }: Setup, { agent }: Errand): Agent {
  const found = typeof agent === "string" ? agents.find(({ name }) => name === agent) : fromData(agent);
  if (!found) throw new Error(`There is no agent "${agent}" any more.`);
  return found;
}

/** Returns the state update of an errand. */
function writeResult({ step, tries, wave }: Errand, outcome: Outcome) {
  const { status, ledger: entries } = outcome;
  const ended =
    outcome.status === "success"
      ? { work: outcome.result, error: null, isFatal: false }
      : { work: null, error: outcome.error, isFatal: outcome.isFatal };
  return { results: { [step.id]: { status, ...ended, tries: tries + 1 } }, calls: [{ step: step.id, wave, entries }] };
}

/** Thrown so that a failure is not cached. */
class StepFailed extends Error {
  override name = "StepFailedError";
  readonly outcome: Failure;

  constructor(outcome: Failure) {
    super(outcome.error);
    this.outcome = outcome;
  }
}

/** Turns the error of a failed step into its outcome. Every other error is rethrown, above all the run's own abort. */
function recover(errand: Errand, { error }: NodeError) {
  if (error.name !== "StepFailedError") throw error;
  return new Command({
    update: writeResult(errand, error instanceof StepFailed ? error.outcome : remembered(error, errand)),
    goto: "account",
  });
}

/** Returns the outcome of a step that failed in an earlier attempt of the run. Only the message survives. */
function remembered({ message }: Error, { step, agent, model, budget }: Errand): Failure {
  const name = typeof agent === "string" ? agent : agent.name;
  const called = { agent: name, task: step.task, model, started: Date.now(), budget };
  const ledger = [entryOf(called, "failed", 1, { inputTokens: 0, outputTokens: 0 }, message)];
  return { status: "failed", error: message, isFatal: false, ledger };
}

/** Adds the wave's cost to the ledger. A call with another wave was not made now: its result came from the cache. */
export const account: Node = ({ calls, wave }, config) => {
  const found = calls.filter((call) => call.wave !== wave);
  for (const { step, entries } of found) {
    const { agent, outcome: status } = entries.at(-1) ?? {};
    report(config, "supervisor", "step", Date.now(), { step, agent, status, cached: true });
  }
  return {
    calls: new Overwrite([]),
    ledger: calls.flatMap((call) => (call.wave === wave ? call.entries : call.entries.map(asCached))),
  };
};

/** Returns the entry of a cached result, which cost nothing this time. */
function asCached(entry: LedgerEntry): LedgerEntry {
  return { ...entry, elapsedMs: 0, attempts: 0, inputTokens: 0, outputTokens: 0, dollars: 0, cached: true };
}

const aDay = 86_400;

/** The cache policy of `recall`. */
export const remembering = (setup: Setup) => ({
  cachePolicy: { ttl: aDay, keyFunc: ([errand]: unknown[]) => keyOf(setup, errand as Errand) },
  errorHandler: recover,
});

/**
 * Returns the cache key of an errand: the task, the agent and the needed results, but not the time or the tries. The step's id is part of
 * it, because a cached result is returned as it was written, under that id.
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
