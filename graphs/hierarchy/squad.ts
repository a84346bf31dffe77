import { setTimeout as sleep } from "node:timers/promises";
import { isGraphBubbleUp, type LangGraphRunnableConfig } from "@langchain/langgraph";
import { type LedgerEntry, muted, report, spanAfter } from "ensemble/patterns";
import { supervisor } from "../supervisor.ts";
import type { Order } from "./command.ts";
import type { Setup } from "./context.ts";
import { readReport, reportUp, type SquadReport, type SquadValues } from "./report-up.ts";
import { leaderOf } from "./squads.ts";
import type { Config } from "./state.ts";

/**
 * Lets a squad pursue one objective. The squad runs as a subgraph, so a checkpoint is stored after each group of parallel steps. If the
 * squad fails, the error becomes its report. Only an abort of the run and an interrupt for a person are thrown.
 */
export function squad(setup: Setup) {
  const common = supervisor({ name: "squad" }, reportUp);
  return async (order: Order, config: Config) => {
    const { step, stage } = order;
    const { limits } = setup.contextOf(config);
    await sleep(stage * limits.stageMs, undefined, { signal: config.signal });
    const startedAt = Date.now();
    const graph = order.squad.roster ? common : setup.graphs.get(step.agent);
    if (!graph) throw new Error(`There is no squad "${step.agent}" any more.`);
    const { values, failure } = await pursue(graph, order, contextFor(setup, order, config), config);
    const told = readReport(step.agent, values, failure);
    report(config, "hierarchy", "squad", startedAt, { objective: step.id, squad: step.agent, status: told.status });
    return writeReport(order, told, values.ledger ?? [], startedAt);
  };
}

type Squad = Pick<ReturnType<typeof supervisor>, "stream">;

/** Runs the squad's graph. The values are read while the graph runs, so that a failure does not lose the earlier work. */
async function pursue(graph: Squad, order: Order, context: object, config: Config): Promise<{ values: SquadValues; failure?: Error }> {
  const { step, task, needs, before } = order;
  let values: SquadValues = {};
  try {
    const input = before ? { material: needs, before } : needs;
    const own = { ...named(muted(config), step.agent), recursionLimit: undefined, context, streamMode: "values" };
    for await (const now of await graph.stream({ task, input: input ?? null } as never, own as never)) values = now as SquadValues;
    return { values };
  } catch (error) {
    config.signal?.throwIfAborted();
    if (isGraphBubbleUp(error)) throw error;
    return { values, failure: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Returns the context of a squad: the settings of the run, with the squad's own leader, workers and limits. */
function contextFor(setup: Setup, { step, squad, budget, parallel }: Order, config: Config): object {
  const { models, limits, allowedHosts, askTimeoutSeconds, timeoutSeconds } = setup.contextOf(config);
  return {
    ...{ models, budget, allowedHosts, askTimeoutSeconds, timeoutSeconds, onFailures: "partial", conflicts: "arbitration" },
    leader: leaderOf(step.agent, squad),
    limits: { ...limits, parallel, failures: squad.limits.failures ?? limits.failures },
    ...(squad.roster && { roster: squad.roster }),
  };
}

/** Returns the config with a writer that adds the squad's name to progress events. */
function named(config: LangGraphRunnableConfig, squad: string): LangGraphRunnableConfig {
  return { ...config, writer: (event: unknown) => config.writer?.({ ...Object(event), squad }) };
}

/**
 * Returns the state update for the report of a squad. A failed objective is tried again only if the commander orders this, because the
 * squad has already retried its own steps.
 */
function writeReport({ step, wave, tries, span: before }: Order, told: SquadReport, ledger: LedgerEntry[], startedAt: number) {
  const isFailed = told.status === "failed";
  const result = isFailed
    ? { status: "failed" as const, work: null, error: told.summary, isFatal: true, tries: tries + 1 }
    : { status: "success" as const, work: told, error: null, isFatal: false, tries: tries + 1 };
  const times = { readyAt: startedAt, startedAt, endedAt: Date.now(), waitedMs: 0, resumedAt: undefined, isFailure: isFailed };
  const span = spanAfter(before, times);
  const entries = ledger.map((entry) => ({ ...entry, agent: `${step.agent}/${entry.agent}` }));
  return { results: { [step.id]: result }, reports: { [step.id]: told }, calls: [{ step: step.id, wave, entries, span }] };
}
