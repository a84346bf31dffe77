import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { sealingUser } from "../db/sealable.ts";
import type { Db } from "../db/sql.ts";
import type { AgentMetrics } from "../metrics/agents.ts";
import { type AgentOutcomes, addOutcomes, mostOutcomes } from "../stats/agent-health.ts";
import { type AgentCounts, addAgentHours } from "../stats/agent-hours.ts";
import { type AlertCheck, type AlertReceiver, storeAlerts } from "../stats/alerts.ts";
import { count, noCounts } from "../stats/histogram.ts";
import { agentNames } from "../stats/label-limit.ts";
import { addRunHours, type RunCounts } from "../stats/run-hours.ts";
import { noRuns } from "../stats/service-stats.ts";
import type { CallBox, EndedCall } from "./call-box.ts";

/** Counts the runs and calls of a worker, and stores the counts at most once a second. */
export interface Statistics {
  callsOf(graphId: string, runId: string, resumedAt?: number): CallBox;
  /** Counts the first attempt of a run. */
  began(graphId: string, waitedSeconds: number): void;
  /**
   * Counts an attempt that has ended its run: with a success, an error, a timeout or an interruption. Ignores attempts after which the run
   * continues.
   */
  ended(graphId: string, outcome: string, seconds: number): void;
  /** Stores the remaining counts, and ends the counting. */
  stop(): Promise<void>;
}

const pauseMs = 1_000;
const longestError = 500;
/** The time that a stopping worker may take to store the remaining counts, in milliseconds. */
const lastTryMs = 2_000;

const endings: Record<string, "succeeded" | "failed" | "interrupted"> = {
  success: "succeeded",
  error: "failed",
  timeout: "failed",
  interrupted: "interrupted",
};

/** The counts that are not stored yet, by the key of their row. */
interface Pending {
  agents: Map<string, AgentCounts>;
  outcomes: Map<string, AgentOutcomes>;
  runs: Map<string, RunCounts>;
  alerts: Map<string, AlertCheck>;
}

const nothingPending = (): Pending => ({ agents: new Map(), outcomes: new Map(), runs: new Map(), alerts: new Map() });

export interface StatisticsOptions {
  db: Db;
  metrics: AgentMetrics;
  log: Logger;
  /** The receiver of the webhooks that report alerts. Undefined if the project names none. */
  alertReceiver?: AlertReceiver | undefined;
}

export function startStatistics({ db, metrics, log, alertReceiver }: StatisticsOptions): Statistics {
  const nameOf = agentNames();
  const stopped = new AbortController();
  const pending = nothingPending();
  let storing: Promise<void> | undefined;

  /** Stores the pending counts after a second, unless a write is already planned or running. The timer does not keep the process alive. */
  function wake(): void {
    storing ??= sleep(pauseMs, undefined, { ref: false, signal: stopped.signal })
      .catch(() => {})
      .then(() => storeAll(db, pending, alertReceiver))
      .catch((err) => log.debug({ err }, "statistics could not be stored, trying again"))
      .finally(() => {
        storing = undefined;
        if (!isEmpty(pending) && !stopped.signal.aborted) wake();
      });
  }

  const runsOf = (graphId: string) => found(pending.runs, graphId, () => noRuns(graphId));
  return {
    callsOf: (graphId, runId, resumedAt) => new CountedCalls({ graphId, runId, pending, metrics, nameOf, wake }, resumedAt),
    began(graphId, waitedSeconds) {
      const runs = runsOf(graphId);
      runs.created += 1;
      count(runs.waits, Math.max(0, waitedSeconds * 1_000));
      wake();
    },
    ended(graphId, outcome, seconds) {
      const ending = Object.hasOwn(endings, outcome) ? endings[outcome] : undefined;
      if (!ending) return;
      const runs = runsOf(graphId);
      runs[ending] += 1;
      count(runs.durations, seconds * 1_000);
      wake();
    },
    async stop() {
      stopped.abort();
      await storing;
      const last = storeAll(db, pending, alertReceiver).catch((err) => log.warn({ err }, "the last statistics could not be stored"));
      await Promise.race([last, sleep(lastTryMs, undefined, { ref: false })]);
    },
  };
}

interface Counting {
  graphId: string;
  runId: string;
  pending: Pending;
  metrics: AgentMetrics;
  nameOf: ReturnType<typeof agentNames>;
  wake(): void;
}

class CountedCalls implements CallBox {
  readonly #counting: Counting;
  readonly resumedAt: number | undefined;
  readonly calls: EndedCall[] = [];
  /** The agents whose last call in this run has failed. */
  readonly #failed = new Set<string>();

  constructor(counting: Counting, resumedAt: number | undefined) {
    this.#counting = counting;
    this.resumedAt = resumedAt;
  }

  ended(call: EndedCall): void {
    const { agent: given, outcome, error, ...figures } = call;
    this.calls.push(call);
    if (outcome === "skipped") return;
    const [elapsedMs, inputTokens, outputTokens] = [whole(figures.elapsedMs), whole(figures.inputTokens), whole(figures.outputTokens)];
    const { graphId: graph, metrics, nameOf, wake } = this.#counting;
    const agent = nameOf(graph, given);
    const isFailure = outcome !== "success";
    const isRecovery = !isFailure && this.#failed.delete(given);
    if (isFailure) this.#failed.add(given);
    const retries = whole(figures.attempts - 1);
    metrics.called({ graph, agent, outcome, seconds: elapsedMs / 1_000, inputTokens, outputTokens, retries, isRecovery });
    const counts = this.#countsOf(agent);
    counts.calls += 1;
    counts.failures += Number(isFailure);
    counts.elapsedMs += elapsedMs;
    counts.inputTokens += inputTokens;
    counts.outputTokens += outputTokens;
    counts.retries += retries;
    counts.recoveries += Number(isRecovery);
    count(counts.latency, elapsedMs);
    this.#noteOutcome(agent, isFailure, error);
    wake();
  }

  waited(given: string, ms: number): void {
    const { graphId, metrics, nameOf, wake } = this.#counting;
    const agent = nameOf(graphId, given);
    metrics.waited(graphId, agent, ms / 1_000);
    const counts = this.#countsOf(agent);
    counts.waits += 1;
    counts.waitedMs += ms;
    wake();
  }

  stalled(given: string, state: string): void {
    const { graphId, metrics, nameOf, wake } = this.#counting;
    const agent = nameOf(graphId, given);
    metrics.stalled(graphId, agent, state);
    this.#countsOf(agent).stalls += 1;
    wake();
  }

  concluded({ conflicts, alerts }: Parameters<CallBox["concluded"]>[0]): void {
    const { graphId, runId, pending, metrics, wake } = this.#counting;
    if (conflicts > 0) {
      metrics.conflicted(graphId, conflicts);
      found(pending.runs, graphId, () => noRuns(graphId)).conflicts += conflicts;
    }
    for (const check of alerts) {
      const known = pending.alerts.get(keyOf(graphId, check.alert));
      const crossings = (known?.crossings ?? 0) + Number(check.isCrossed);
      // If this run has not crossed the threshold, keeps the values of the last run that has.
      const shown = check.isCrossed || !known ? { ...check, runId } : { ...known, isCrossed: false };
      pending.alerts.set(keyOf(graphId, check.alert), { ...shown, graphId, crossings });
    }
    if (conflicts > 0 || alerts.length > 0) wake();
  }

  #countsOf(agent: string): AgentCounts {
    const { graphId, pending } = this.#counting;
    return found(pending.agents, keyOf(graphId, agent), () => noCalls(graphId, agent));
  }

  #noteOutcome(agent: string, isFailure: boolean, error = "It failed."): void {
    const { graphId, pending } = this.#counting;
    const known = found(pending.outcomes, keyOf(graphId, agent), () => ({ graphId, agent, outcomes: "", lastError: null }));
    known.outcomes = `${isFailure ? "f" : "s"}${known.outcomes}`.slice(0, mostOutcomes);
    if (isFailure) known.lastError = error.replaceAll("\0", "\ufffd").slice(0, longestError).toWellFormed();
  }
}

/** Returns a figure as a whole number that the database accepts. The code of graphs may pass any number. */
const whole = (value: number) => (Number.isFinite(value) ? Math.max(0, Math.round(value)) : 0);

const keyOf = (...parts: string[]) => JSON.stringify(parts);

function found<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

const noCalls = (graphId: string, agent: string): AgentCounts => ({
  ...{ graphId, agent, calls: 0, failures: 0, elapsedMs: 0, waits: 0, waitedMs: 0, inputTokens: 0, outputTokens: 0 },
  ...{ retries: 0, recoveries: 0, stalls: 0, latency: noCounts() },
});

const isEmpty = (pending: Pending) => Object.values(pending).every((map) => map.size === 0);

/**
 * Stores the counts, with one statement for each table. Counts that arrive while the statement of their table runs are stored the next
 * time. If a statement fails, its counts are lost, because storing them again could count them twice.
 */
function storeAll(db: Db, pending: Pending, receiver: AlertReceiver | undefined): Promise<void> {
  // The counts of many users share a statement. They are the service's own values, so they are not encrypted for the user of one attempt.
  return sealingUser.run(undefined, async () => {
    await storeMap(pending.agents, (rows) => addAgentHours(db, rows));
    await storeMap(pending.outcomes, (rows) => addOutcomes(db, rows));
    await storeMap(pending.runs, (rows) => addRunHours(db, rows));
    await storeMap(pending.alerts, (rows) => storeAlerts(db, rows, receiver));
  });
}

async function storeMap<Value>(map: Map<string, Value>, store: (rows: Value[]) => Promise<void>): Promise<void> {
  if (map.size === 0) return;
  const rows = [...map.values()];
  map.clear();
  await store(rows);
}
