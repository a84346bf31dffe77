import { type Db, sql } from "../db/sql.ts";
import { type Health, healthOf, type ReadOutcomes, readOutcomes } from "./agent-health.ts";
import { type AgentCounts, firstHour, readAgentHours, type StatsFilter } from "./agent-hours.ts";
import { type Alert, listAlerts } from "./alerts.ts";
import { addCounts, type Counts, noCounts, percentile } from "./histogram.ts";
import { type RunCounts, readRunHours } from "./run-hours.ts";

interface Times {
  /** The median in seconds. Null if nothing was measured. */
  p50: number | null;
  p95: number | null;
}

/** The statistics of the runs of one graph, or of all selected graphs together. */
export interface RunFigures {
  created: number;
  succeeded: number;
  failed: number;
  interrupted: number;
  throughput_per_hour: number;
  conflicts: number;
  duration_seconds: Times;
  wait_seconds: Times;
}

/** The statistics of one agent in one graph. */
export interface AgentFigures {
  graph: string;
  agent: string;
  /** The health of the agent. It depends only on the agent's last 20 calls, even if these were made before `since`. */
  health: Health;
  calls: number;
  failures: number;
  failure_rate: number;
  latency_seconds: Times & { mean: number };
  waits: number;
  waited_seconds: number;
  input_tokens: number;
  output_tokens: number;
  retries: number;
  recoveries: number;
  stalls: number;
  last_error: { message: string; at: Date } | null;
}

export interface ServiceStats {
  now: Date;
  /** The start of the first hour that the statistics include. */
  since: Date;
  runs: RunFigures;
  graphs: ({ graph: string } & RunFigures)[];
  agents: AgentFigures[];
  alerts: Alert[];
}

/**
 * Returns the statistics of a graph, or of all graphs. The database stores sums for each hour, so the statistics include the whole first
 * hour.
 */
export async function readStats(db: Db, filter: StatsFilter): Promise<ServiceStats> {
  const { rows } = await db.query<{ now: Date; since: Date }>(sql`select now(), ${firstHour(filter.since)} as since`);
  const { now, since } = rows[0] ?? { now: new Date(), since: new Date() };
  const period = { ...filter, since };
  const hours = Math.max((now.getTime() - since.getTime()) / 3_600_000, 0);
  const graphs = await readRunHours(db, period);
  const outcomes = new Map((await readOutcomes(db, filter.graph)).map((one) => [keyOf(one), one]));
  const agents = await readAgentHours(db, period);
  return {
    now,
    since,
    runs: runFigures(graphs.reduce(addRuns, noRuns()), hours),
    graphs: graphs.map((counts) => ({ graph: counts.graphId, ...runFigures(counts, hours) })),
    agents: agents.map((counts) => agentFigures(counts, outcomes.get(keyOf(counts)))),
    alerts: await listAlerts(db, filter.graph),
  };
}

const keyOf = ({ graphId, agent }: { graphId: string; agent: string }) => JSON.stringify([graphId, agent]);

export const noRuns = (graphId = ""): RunCounts => ({
  ...{ graphId, created: 0, succeeded: 0, failed: 0, interrupted: 0, conflicts: 0 },
  ...{ durations: noCounts(), waits: noCounts() },
});

function addRuns(one: RunCounts, other: RunCounts): RunCounts {
  return {
    graphId: "",
    created: one.created + other.created,
    succeeded: one.succeeded + other.succeeded,
    failed: one.failed + other.failed,
    interrupted: one.interrupted + other.interrupted,
    conflicts: one.conflicts + other.conflicts,
    durations: addCounts(one.durations, other.durations),
    waits: addCounts(one.waits, other.waits),
  };
}

function runFigures({ graphId: _, durations, waits, ...counts }: RunCounts, hours: number): RunFigures {
  const ended = counts.succeeded + counts.failed;
  return {
    ...counts,
    throughput_per_hour: hours > 0 ? rounded(ended / hours) : 0,
    duration_seconds: timesOf(durations),
    wait_seconds: timesOf(waits),
  };
}

function agentFigures(counts: AgentCounts, known: ReadOutcomes | undefined): AgentFigures {
  const { graphId: graph, agent, calls, failures, elapsedMs, waits, waitedMs, retries, recoveries, stalls } = counts;
  const { lastError = null, lastErrorAt = null } = known ?? {};
  return {
    ...{ graph, agent, health: healthOf(known?.outcomes ?? ""), calls, failures },
    failure_rate: calls > 0 ? rounded(failures / calls) : 0,
    latency_seconds: { mean: calls > 0 ? rounded(elapsedMs / calls / 1_000) : 0, ...timesOf(counts.latency) },
    ...{ waits, waited_seconds: rounded(waitedMs / 1_000), input_tokens: counts.inputTokens, output_tokens: counts.outputTokens },
    ...{ retries, recoveries, stalls },
    last_error: lastError !== null && lastErrorAt ? { message: lastError, at: lastErrorAt } : null,
  };
}

const timesOf = (counts: Counts): Times => ({ p50: secondsOf(percentile(counts, 0.5)), p95: secondsOf(percentile(counts, 0.95)) });
const secondsOf = (ms: number | null) => (ms === null ? null : rounded(ms / 1_000));

/** Returns the number with four decimals. */
const rounded = (value: number) => Math.round(value * 10_000) / 10_000;
