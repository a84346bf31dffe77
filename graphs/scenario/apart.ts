import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { Run } from "@langchain/langgraph-sdk";
import type { Budget } from "../agent/context.ts";
import type { LedgerEntry } from "../agent/ledger.ts";
import { report } from "../agent/progress.ts";
import type { ScenarioDefinition } from "../skills/definition.ts";
import type { ScenarioContext, ScenarioContextInput } from "./context.ts";
import { isOver, move, type ScenarioProgress } from "./progress.ts";

/** The input for a scenario that has a run of its own. */
export interface Apart {
  skill: string;
  seed: number;
  definition: ScenarioDefinition;
  progress: Record<string, ScenarioProgress>;
  startedAt: number;
  halved: boolean;
  /** The number of scenarios among which the run's budget is divided. */
  shares: number;
}

type Config = LangGraphRunnableConfig<ScenarioContextInput>;
type Place = { threadId: string; graphId: string; parentId: string };

/**
 * Returns the node that starts a run of this graph for one scenario, waits for the run, and takes over its progress. The id of the run's
 * thread is derived from the parent's state. A resumed parent therefore finds the run and does not start it twice.
 */
export function apart(contextOf: (config: Config) => ScenarioContext) {
  return async (state: Apart, config: Config) => {
    const { definition, startedAt } = state;
    const { name } = definition;
    const context = contextOf(config);
    const place = placeOf(state, config as LangGraphRunnableConfig);
    const run = await childRun(place, { input: inputOf(state), context: { ...context, budget: shareOf(context.budget, state.shares) } });
    report(config, "scenario", "apart", startedAt, { scenario: name, threadId: run.thread_id, runId: run.run_id });
    const deadline = AbortSignal.timeout(Math.ceil((definition.timeBudgetSeconds + context.spreadWaitSeconds) * 1000));
    const ended = await untilOver(run, config.signal, deadline);
    const { progress, ledger } = await resultOf(ended, state, deadline.aborted);
    report(config, "scenario", "state", startedAt, { scenario: name, to: progress.status, reason: progress.reason });
    return { progress: { [name]: progress }, ledger };
  };
}

function placeOf({ definition, startedAt, halved }: Apart, { configurable = {} }: LangGraphRunnableConfig): Place {
  const { thread_id: threadId, graph_id: graphId, run_id: parentId } = configurable;
  if (!graphId) throw new Error("Scenarios can run apart only in the service, which runs each of them (`spread`).");
  return { threadId: uuidOf([threadId, startedAt, halved, definition.name]), graphId, parentId };
}

/** Returns a UUID that is derived from the given values. */
function uuidOf(values: unknown[]): string {
  const hex = createHash("sha256").update(JSON.stringify(values)).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const inputOf = ({ skill, seed, definition }: Apart) => ({ skill, seed, scenarios: [definition], part: true });

/** Returns the part of the budget that one of several scenarios may use. */
function shareOf({ tokens, dollars, ...budget }: Budget, shares: number): Budget {
  return {
    ...budget,
    ...(tokens !== undefined && { tokens: Math.max(1, Math.floor(tokens / shares)) }),
    ...(dollars !== undefined && { dollars: dollars / shares }),
  };
}

/**
 * Returns the run of the scenario. If the scenario has no run yet, starts one. If an earlier parent run started the scenario's last run,
 * and this last run did not succeed, starts a new run that continues the work.
 */
async function childRun({ threadId, graphId, parentId }: Place, { input, context }: { input: object; context: object }): Promise<Run> {
  const metadata = { spread_of: parentId };
  const client = await service({ "idempotency-key": `${threadId}:${parentId}` });
  await client.threads.create({ threadId, graphId, ifExists: "do_nothing", metadata });
  const [last] = await client.runs.list(threadId, { limit: 1 });
  const isOurs = last && (isOpen(last) || last.status === "success" || last.metadata?.spread_of === parentId);
  return isOurs ? last : client.runs.create(threadId, graphId, { input: last ? null : (input as never), context, metadata });
}

/** Returns a client of the service in which the graph runs. */
async function service(defaultHeaders: Record<string, string> = {}) {
  const { Client } = await import("@langchain/langgraph-sdk"); // imported on first use, because few runs need it
  return new Client({ defaultHeaders });
}

const isOpen = ({ status }: Run) => status === "pending" || status === "running";

const longestPauseMs = 2_000;

/** Waits until the run ends. Cancels the run at the deadline, or when the parent is cancelled. */
async function untilOver(run: Run, signal: AbortSignal | undefined, deadline: AbortSignal): Promise<Run> {
  const client = await service();
  const both = signal ? AbortSignal.any([signal, deadline]) : deadline;
  let current = run;
  try {
    for (let pauseMs = 100; isOpen(current); pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
      await sleep(pauseMs, undefined, { signal: both });
      current = await client.runs.get(run.thread_id, run.run_id, { signal: both });
    }
  } catch (error) {
    if (!both.aborted) throw error;
    if (!isHandedOver(signal)) await client.runs.cancel(run.thread_id, run.run_id, deadline.aborted);
    signal?.throwIfAborted();
    return client.runs.get(run.thread_id, run.run_id);
  }
  return current;
}

/**
 * Tells whether another attempt continues the parent run, for example after the parent's worker has stopped. If so, the run of the scenario
 * must not be cancelled.
 */
function isHandedOver(signal: AbortSignal | undefined): boolean {
  const { kind } = Object(Object(signal?.reason).reason);
  return kind === "shutdown" || kind === "lost" || kind === "unreachable";
}

/** Returns the progress and the ledger of an ended run. If the run did not finish its scenario, the scenario has failed. */
async function resultOf(run: Run, { definition, progress: planned }: Apart, isLate: boolean) {
  const client = await service();
  const values = (await client.threads.getState<Partial<Pick<Apart, "progress">> & { ledger?: LedgerEntry[] }>(run.thread_id)).values;
  const progress = values.progress?.[definition.name] ?? (planned[definition.name] as ScenarioProgress);
  const ledger = values.ledger ?? [];
  if (isOver(progress)) return { progress, ledger };
  const { __error__: error } = Object((await client.runs.join(run.thread_id, run.run_id)) ?? {});
  const message =
    error?.message ?? `The run ${run.run_id} of the scenario ended with the status ${run.status}${isLate ? ", because it was late" : ""}`;
  const noted = { ...progress, errors: [...progress.errors, { batch: progress.batches, type: error?.error ?? "RunFailed", message }] };
  return { progress: move(noted, "failed", isLate ? "timeout" : "its run failed"), ledger };
}
