import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import { Gauge, type Registry } from "prom-client";
import { readTableSizes, type TableSize } from "../db/sizes.ts";
import { countDead } from "../letters/search-letters.ts";
import { type ListedResource, listResources } from "../resources/resources.ts";
import { countWaiting } from "../runs/absent.ts";
import { type QueueFigures, readQueue, readRunCounts } from "../runs/figures.ts";
import { type Limit, listLimits } from "../runs/limits.ts";
import { type Alert, listAlerts } from "../stats/alerts.ts";
import { limitMetrics } from "./limit-gauges.ts";
import { resourceMetrics } from "./resource-gauges.ts";
import { statsMetrics } from "./stats-gauges.ts";

/** The shortest time between two readings of the database, in milliseconds, even if the metrics are scraped more often. */
const freshMs = 5_000;
/** The time limit of a whole reading of the database, in milliseconds. */
const timeoutMs = 2_000;
const mostWaiting = 10_000;

const checkpointTables = ["checkpoints", "checkpoint_blobs", "checkpoint_writes"];
const tables = [
  ...checkpointTables,
  "runs",
  "run_events",
  "threads",
  "store_items",
  "cache_entries",
  "effects",
  "webhooks",
  "grants",
  "agent_hours",
];

interface Reading {
  queue: QueueFigures;
  waiting: Awaited<ReturnType<typeof countWaiting>>;
  counts: Awaited<ReturnType<typeof readRunCounts>>;
  sizes: TableSize[];
  resources: ListedResource[];
  limits: Limit[];
  alerts: Alert[];
  letters: Awaited<ReturnType<typeof countDead>>;
}

/**
 * Registers the metrics that are read from the database. Every process reports the same values. While the database is down, only
 * `database_up` has a value.
 */
export function databaseMetrics(registry: Registry, pool: Pool, leaseSeconds: number): { refresh(): Promise<void> } {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `ensemble_${name}`, help, labelNames, registers: [registry] });
  const up = gauge("database_up", "Whether the database answered");
  const runs = gauge("runs", "Runs by status. Above 20,000 runs, the database's estimate", ["status"]);
  const due = gauge("queue_depth", "Pending runs that are due, up to 100,000");
  const delayed = gauge("queue_delayed", "Pending runs that are for later, up to 100,000");
  const age = gauge("queue_oldest_seconds", "Time since the oldest due run became due");
  const workers = gauge("workers", "Workers that sent a heartbeat within the lease");
  const waiting = gauge("threads_without_worker", "Threads whose next run needs a graph that no live worker has, up to 10,000", ["graph"]);
  const checkpointBytes = gauge("checkpoint_bytes", "Size of checkpoints on disk, with their indexes");
  const bytes = gauge("table_bytes", "Size of a table on disk, with its indexes", ["table"]);
  const rows = gauge("table_rows", "Rows of a table, as the database estimates", ["table"]);
  const ofResources = resourceMetrics(registry);
  const ofLimits = limitMetrics(registry);
  const ofStats = statsMetrics(registry);
  const own = [runs, due, delayed, age, workers, waiting, checkpointBytes, bytes, rows];
  const all = [...own, ...[ofResources, ofLimits, ofStats].flatMap(({ gauges }) => gauges)];

  const refresh = lessOften(async () => {
    const reading = await withTimeout(read(pool, leaseSeconds)).catch(() => undefined);
    up.set(reading ? 1 : 0);
    for (const one of all) one.reset();
    if (reading) show(reading);
    else for (const one of all) one.remove({}); // a missing value is better than an outdated one
  });

  function show({ queue, waiting: waitingByGraph, counts, sizes, resources, limits, alerts, letters }: Reading): void {
    for (const { status, runs: count } of counts) runs.set({ status }, Math.round(count));
    runs.set({ status: "pending" }, queue.due + queue.delayed);
    runs.set({ status: "running" }, queue.running);
    due.set(queue.due);
    delayed.set(queue.delayed);
    age.set(queue.oldestDueSeconds);
    workers.set(queue.workers);
    for (const { graphId, threads } of waitingByGraph) waiting.set({ graph: graphId }, threads);
    const checkpointSizes = sizes.filter(({ table }) => checkpointTables.includes(table));
    checkpointBytes.set(checkpointSizes.reduce((sum, size) => sum + size.bytes, 0));
    for (const size of sizes) bytes.set({ table: size.table }, size.bytes);
    for (const size of sizes) rows.set({ table: size.table }, size.rows);
    ofResources.show(resources);
    ofLimits.show(limits);
    ofStats.show(alerts, letters);
  }

  return { refresh };
}

async function read(pool: Pool, leaseSeconds: number): Promise<Reading> {
  // The queries run one after another, so that a scrape occupies only one connection of the service.
  return {
    queue: await readQueue(pool, leaseSeconds),
    waiting: await countWaiting(pool, mostWaiting),
    counts: await readRunCounts(pool),
    sizes: await readTableSizes(pool, tables),
    resources: await listResources(pool),
    limits: await listLimits(pool),
    alerts: await listAlerts(pool),
    letters: await countDead(pool),
  };
}

async function withTimeout<Result>(work: Promise<Result>): Promise<Result> {
  const done = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: done.signal }).then(() => {
    throw new Error("The database does not answer.");
  });
  return Promise.race([work, late]).finally(() => done.abort());
}

/**
 * Returns a function that calls `work` at most once in `freshMs` milliseconds. A call before this time is over returns the promise of the
 * last call of `work`.
 */
function lessOften(work: () => Promise<void>): () => Promise<void> {
  let last: { done: Promise<void>; at: number } | undefined;
  return () => {
    if (!last || performance.now() - last.at > freshMs) last = { done: work(), at: performance.now() };
    return last.done;
  };
}
