import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import { Gauge, type Registry } from "prom-client";
import { readTableSizes, type TableSize } from "../db/sizes.ts";
import { countWaiting } from "../runs/absent.ts";
import { type QueueFigures, readQueue, readRunCounts } from "../runs/figures.ts";

/** However often somebody looks, the database is asked no more often than this; and is not waited for any longer than that. */
const freshMs = 5_000;
const patienceMs = 2_000;
const mostWaiting = 10_000;

const checkpointTables = ["checkpoints", "checkpoint_blobs", "checkpoint_writes"];
const tables = [...checkpointTables, "runs", "run_events", "threads", "store_items", "cache_entries", "effects", "webhooks"];

interface Reading {
  queue: QueueFigures;
  waiting: Awaited<ReturnType<typeof countWaiting>>;
  counts: Awaited<ReturnType<typeof readRunCounts>>;
  sizes: TableSize[];
}

/** What the database knows, the same whichever process is asked. While it does not answer, only that is told. */
export function databaseMetrics(registry: Registry, pool: Pool, leaseSeconds: number): { refresh(): Promise<void> } {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `ensemble_${name}`, help, labelNames, registers: [registry] });
  const up = gauge("database_up", "Whether the database answered");
  const runs = gauge("runs", "Runs by status; beyond 20,000 as the database estimates", ["status"]);
  const due = gauge("queue_depth", "Pending runs that are due, up to 100,000");
  const delayed = gauge("queue_delayed", "Pending runs that are for later, up to 100,000");
  const age = gauge("queue_oldest_seconds", "How long the run that has waited longest has been due");
  const workers = gauge("workers", "Workers that were heard of within the lease");
  const waiting = gauge("threads_without_worker", "Threads whose next run needs a graph that no live worker has, up to 10,000", ["graph"]);
  const checkpointBytes = gauge("checkpoint_bytes", "What checkpoints take on disk, with their indexes");
  const bytes = gauge("table_bytes", "What a table takes on disk, with its indexes", ["table"]);
  const rows = gauge("table_rows", "Rows of a table, as the database estimates", ["table"]);
  const all = [runs, due, delayed, age, workers, waiting, checkpointBytes, bytes, rows];

  const refresh = lessOften(async () => {
    const reading = await withPatience(read(pool, leaseSeconds)).catch(() => undefined);
    up.set(reading ? 1 : 0);
    for (const one of all) one.reset();
    if (reading) show(reading);
    else for (const one of all) one.remove({}); // better nothing than what is not known
  });

  function show({ queue, waiting: ofGraphs, counts, sizes }: Reading): void {
    for (const { status, runs: count } of counts) runs.set({ status }, Math.round(count));
    runs.set({ status: "pending" }, queue.due + queue.delayed);
    runs.set({ status: "running" }, queue.running);
    due.set(queue.due);
    delayed.set(queue.delayed);
    age.set(queue.oldestDueSeconds);
    workers.set(queue.workers);
    for (const { graphId, threads } of ofGraphs) waiting.set({ graph: graphId }, threads);
    const ofCheckpoints = sizes.filter(({ table }) => checkpointTables.includes(table));
    checkpointBytes.set(ofCheckpoints.reduce((sum, size) => sum + size.bytes, 0));
    for (const size of sizes) bytes.set({ table: size.table }, size.bytes);
    for (const size of sizes) rows.set({ table: size.table }, size.rows);
  }

  return { refresh };
}

async function read(pool: Pool, leaseSeconds: number): Promise<Reading> {
  // One after the other, on one connection at a time: whoever looks is not to be noticed.
  return {
    queue: await readQueue(pool, leaseSeconds),
    waiting: await countWaiting(pool, mostWaiting),
    counts: await readRunCounts(pool),
    sizes: await readTableSizes(pool, tables),
  };
}

async function withPatience<Result>(work: Promise<Result>): Promise<Result> {
  const done = new AbortController();
  const late = sleep(patienceMs, undefined, { signal: done.signal }).then(() => {
    throw new Error("The database does not answer.");
  });
  return Promise.race([work, late]).finally(() => done.abort());
}

/** Everyone who asks meanwhile gets what is being done, or was done last. */
function lessOften(work: () => Promise<void>): () => Promise<void> {
  let last: { done: Promise<void>; at: number } | undefined;
  return () => {
    if (!last || performance.now() - last.at > freshMs) last = { done: work(), at: performance.now() };
    return last.done;
  };
}
