import type { BaseMessage } from "@langchain/core/messages";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { z } from "zod";
import { neighboursOf } from "../guards/neighbours.ts";
import { isRecord, plainOf } from "../guards/update.ts";
import { Ledger, type LedgerEntry } from "../ledger.ts";
import { report } from "../progress.ts";
import type { Alerts } from "./alerts.ts";
import { boxOf, type CheckedAlert } from "./call-box.ts";
import { executionOf } from "./executions.ts";
import { type Facts, Metrics, metricsOf } from "./run-metrics.ts";

/** The state keys of a pattern that records its calls in a ledger. The function `measured` computes `metrics` at the end of a run. */
export const ledgerState = {
  ledger: Ledger,
  metrics: Metrics.nullable()
    .default(null)
    .describe("Figures of the run, computed from its ledger. A figure without its facts is left out."),
};

/** The part of a compiled graph's type that this file uses. LangGraph's types hide some of these fields. */
interface Built {
  builder: Parameters<typeof neighboursOf>[0] & {
    nodes: Record<string, { runnable: { func?: NodeFunction } }>;
    _configRuntimeSchema?: z.ZodType;
  };
  name?: string;
}
type Values = Record<string, unknown> & { messages?: BaseMessage[]; ledger?: LedgerEntry[]; metrics?: Metrics | null };
type NodeFunction = (values: Values, config: LangGraphRunnableConfig) => Promise<unknown> | unknown;

/**
 * Makes the last nodes of a graph add the metrics of the run to the state. The first nodes clear the metrics of the thread's previous run.
 * `factsOf` returns facts about the run that the ledger does not contain. Returns the same graph.
 */
export function measured<Graph extends object>(graph: Graph, factsOf: (values: never) => Facts = () => ({})): Graph {
  const { builder, name = "pattern" } = graph as unknown as Built;
  Object.assign(builder, { [failureKey]: measureFailure(builder, factsOf) });
  const [first, last] = [neighboursOf(builder, "to"), neighboursOf(builder, "from")];
  for (const [node, { runnable }] of Object.entries(builder.nodes)) {
    const { func } = runnable;
    if (!func || !(first.has(node) || last.has(node))) continue;
    runnable.func = async (values, config) => {
      const update = await func(values, config);
      if (!isRecord(update)) return update;
      const cleared = first.has(node) && values.metrics ? { ...update, metrics: null } : update;
      if (!last.has(node)) return cleared;
      const now = { ...values, ...plainOf(update, values) } as Values;
      const ledger = isRecord(update) && Array.isArray(update.ledger) ? [...(values.ledger ?? []), ...update.ledger] : (now.ledger ?? []);
      const facts = factsOf(now as never);
      const metrics = metricsOf(ledger, facts, executionOf(config).resumedAt);
      if (isOwnRun(config)) announce(metrics, facts, { pattern: name, alerts: alertsIn(builder, config), config });
      return { ...cleared, metrics };
    };
  }
  return graph;
}

/**
 * `measured` stores a function under this key in the builder of a graph. The service calls the function to compute the metrics of a failed
 * run. A failed run never reaches the graph's last nodes, which compute the metrics of any other run. The key is a global symbol, because
 * patterns cannot import the service.
 */
const failureKey = Symbol.for("ensemble.failure-metrics");

/** The description of a failed run, which the service passes to the function under `failureKey`. */
interface FailedRun {
  /** The state values at the run's last checkpoint. Undefined if the run has stored no checkpoint. */
  values: Values | undefined;
  /** The nodes that had to run next at that checkpoint. */
  next: readonly string[];
  /** The calls of the last attempt, which include the calls of the step that failed. */
  calls: LedgerEntry[];
  context: unknown;
  resumedAt: number | undefined;
}

/**
 * Returns the function that computes the metrics of a failed run, and compares them with the thresholds in the run's context. If the run
 * failed in its first nodes, the last checkpoint still has the values of the thread's earlier run, so these values are ignored. The
 * function returns undefined if there are neither values nor calls of this run.
 */
const measureFailure =
  (builder: Built["builder"], factsOf: (values: never) => Facts) =>
  ({ values: given, next, calls, context, resumedAt }: FailedRun) => {
    const first = neighboursOf(builder, "to");
    const values = next.length > 0 && next.every((node) => first.has(node)) ? undefined : given;
    if (!values && calls.length === 0) return undefined;
    const stored = values?.ledger ?? [];
    const ledger = [...stored, ...callsBeyond(stored, calls)];
    const metrics = metricsOf(ledger, values ? factsOf(values as never) : {}, resumedAt);
    const alerts = alertsIn(builder, { context } as LangGraphRunnableConfig);
    return { metrics, alerts: alerts ? checkAlerts(metrics, alerts) : [] };
  };

/**
 * Returns the calls that are not in the stored ledger. The comparison ignores the agent's name, because a pattern may have stored a call
 * under a longer name.
 */
function callsBeyond(stored: LedgerEntry[], calls: LedgerEntry[]): LedgerEntry[] {
  const keyOf = ({ task, at, elapsedMs, outcome, inputTokens, outputTokens }: LedgerEntry) =>
    JSON.stringify([task, at, elapsedMs, outcome, inputTokens, outputTokens]);
  const left = new Map<string, number>();
  for (const entry of stored) left.set(keyOf(entry), (left.get(keyOf(entry)) ?? 0) + 1);
  return calls.filter((call) => {
    const count = left.get(keyOf(call)) ?? 0;
    left.set(keyOf(call), count - 1);
    return count <= 0;
  });
}

/** Tells whether the graph is the graph of the run, and not a subgraph of it. */
const isOwnRun = ({ configurable }: LangGraphRunnableConfig) => !String(configurable?.checkpoint_ns ?? "").includes("|");

function alertsIn({ _configRuntimeSchema: schema }: Built["builder"], { context }: LangGraphRunnableConfig): Alerts | undefined {
  return Object(schema?.safeParse(context ?? {}).data).alerts;
}

interface Around {
  pattern: string;
  alerts: Alerts | undefined;
  config: LangGraphRunnableConfig;
}

/** Reports the run's conflicts and checked thresholds to the service, and emits an event for each crossed threshold. */
function announce(metrics: Metrics, { conflicts = 0 }: Facts, { pattern, alerts, config }: Around): void {
  const checked = alerts ? checkAlerts(metrics, alerts) : [];
  for (const { isCrossed, ...crossed } of checked) {
    // for a stall, the stall watch has already emitted an event
    if (isCrossed && crossed.alert !== "stalled") report(config, pattern, "alert", Date.now(), crossed);
  }
  boxOf(config)?.concluded({ conflicts, alerts: checked });
}

/** Compares the figures of a run with its thresholds. Figures and thresholds that are missing are left out. */
export function checkAlerts({ failureRate, waitMs, utilisation, stalled }: Metrics, thresholds: Alerts): CheckedAlert[] {
  const isAbove = (value: number, threshold: number) => value > threshold;
  const isBelow = (value: number, threshold: number) => value < threshold;
  const check = (alert: string, value: number | undefined, threshold: number | undefined, isBad: typeof isAbove): CheckedAlert[] =>
    value === undefined || threshold === undefined ? [] : [{ alert, value, threshold, isCrossed: isBad(value, threshold) }];
  return [
    ...check("failureRate", failureRate, thresholds.failureRate, isAbove),
    ...check("waitMs", waitMs?.max, thresholds.waitMs, isAbove),
    ...check("utilisation", utilisation, thresholds.utilisation, isBelow),
    ...check("stalled", Number(stalled), 0, isAbove),
  ];
}
