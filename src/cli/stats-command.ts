import { type AgentFigures, type RunFigures, readStats, type ServiceStats } from "../stats/service-stats.ts";
import type { Arguments } from "./arguments.ts";
import { clean, safeJson } from "./terminal/clean.ts";
import { withValues } from "./with-database.ts";

/** Prints how many runs were created and ended, and the health of each agent. */
export async function stats({ words: [graph], texts, flags }: Arguments): Promise<void> {
  const since = texts.since === undefined ? undefined : new Date(texts.since);
  if (since && Number.isNaN(since.getTime())) throw new Error(`--since is "${texts.since}"; it should be a date such as 2026-01-31.`);
  const found = await withValues((pool) => readStats(pool, { graph, since }));
  if (flags.has("json")) return console.log(safeJson(found));
  for (const line of linesOf(found)) console.log(clean(line));
}

function linesOf({ since, graphs, agents, alerts }: ServiceStats): string[] {
  if (graphs.length === 0) return [`No runs since ${since.toISOString()}.`];
  return [
    `Since ${since.toISOString()}`,
    ...graphs.map(({ graph, ...runs }) => `${graph}  ${runLine(runs)}`),
    ...agents.map(agentLine),
    ...alerts
      .filter(({ active }) => active)
      .map(({ graph, alert, value, threshold }) => `ALERT  ${graph}  ${alert} is ${value}, limit ${threshold}`),
  ];
}

function runLine({ created, succeeded, failed, interrupted, throughput_per_hour, duration_seconds, wait_seconds }: RunFigures): string {
  const counts = [
    `${created} created`,
    `${succeeded} succeeded`,
    `${failed} failed`,
    `${interrupted} interrupted`,
    `${throughput_per_hour}/h`,
  ];
  return [...counts, `duration ${timesOf(duration_seconds)}`, `wait ${timesOf(wait_seconds)}`].join("  ");
}

function agentLine({ graph, agent, health, calls, failures, latency_seconds: latency, last_error: error }: AgentFigures): string {
  const parts = [`${graph}/${agent}`, health, `${calls} calls`, `${failures} failed`, `mean ${latency.mean} s`, timesOf(latency)];
  return [...parts, ...(error ? [`last error at ${error.at.toISOString()}: ${error.message}`] : [])].join("  ");
}

const timesOf = ({ p50, p95 }: { p50: number | null; p95: number | null }) => (p50 === null ? "-" : `p50 ${p50} s, p95 ${p95} s`);
