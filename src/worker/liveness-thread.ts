import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import pg from "pg";
import { closeConnection, connectionOptions, impatientKeepalives } from "../db/pool.ts";
import {
  announceWorker,
  type ObservedWorker,
  observeWorkers,
  renewWorker,
  retireWorker,
  settledSeconds,
  takeOver,
} from "../runs/workers.ts";
import { clockOf, type LivenessData, type LivenessNews, type LivenessOrder, now } from "./liveness-news.ts";

/**
 * Renews this worker's lease every second, and checks the other workers every 300 ms. This program runs in a separate thread with its own
 * connection. A worker thus keeps its lease even while a node blocks the event loop.
 */
const { url, worker, leaseSeconds, clock } = workerData as LivenessData;
const { workerId } = worker;
const lastRenewal = clockOf(clock);
const lookMs = 300;
const renewMs = 1_000;
const reconnectMs = 250;
const stopped = new AbortController();
let wanted = Promise.withResolvers<void>();
let isWanted = false;

const tell = (news: LivenessNews) => parentPort?.postMessage(news);

parentPort?.on("message", (order: LivenessOrder) => {
  if (order === "stop") stopped.abort();
  isWanted = true;
  wanted.resolve();
});

async function live(): Promise<void> {
  while (!stopped.signal.aborted) {
    await liveOnOneConnection().catch((error: Error) => tell({ kind: "disconnected", message: error.message }));
    if (!stopped.signal.aborted) await sleep(reconnectMs, undefined, { signal: stopped.signal }).catch(() => {});
  }
}

async function liveOnOneConnection(): Promise<void> {
  // A statement that hangs means that the connection is dead. These time limits end it, so that the thread opens a new connection.
  // Otherwise, a dead connection could not be told from a slow one.
  const limits = { options: impatientKeepalives, query_timeout: (leaseSeconds / 3) * 1000 };
  const client = new pg.Client({ ...connectionOptions(url, "ensemble liveness"), ...limits });
  client.on("error", () => {}); // the next statement reports the error
  try {
    await client.connect();
    await announceWorker(client, worker);
    const observer = createObserver(client);
    tell({ kind: "connected" });
    let renewedAt = 0;
    while (!stopped.signal.aborted) {
      if (isWanted || now() - renewedAt >= renewMs) {
        renewedAt = now();
        await renew(client, renewedAt);
      }
      await observer.look();
      await Promise.race([sleep(lookMs, undefined, { ref: false }), wanted.promise]);
    }
    await retireWorker(client, workerId);
  } finally {
    await closeConnection(client);
  }
}

async function renew(client: pg.Client, askedAt: number): Promise<void> {
  isWanted = false;
  wanted = Promise.withResolvers();
  const { known, halted, held } = await renewWorker(client, workerId);
  if (!known) await announceWorker(client, worker);
  lastRenewal.set(askedAt); // the lease counts from the sending of the renewal, and not from the arrival of its result
  tell({ kind: "renewed", askedAt, halted, held });
}

/**
 * Returns an observer of the other workers. It considers a worker dead if that worker's lease has run out, or if that worker's lock was
 * free at two checks in a row.
 */
function createObserver(client: pg.Client) {
  const connectedAt = now();
  let seenFree = new Set<string>();
  const nameOf = ({ workerId: other, lockKey }: ObservedWorker) => `${other} ${lockKey}`;

  return {
    async look(): Promise<void> {
      const suspects = await observeWorkers(client, workerId, leaseSeconds);
      // After an outage, all connections may have broken, and then the locks of all live workers are free for a moment. In the first
      // seconds of this connection, a free lock therefore counts only if its worker has also stopped renewing its lease.
      const settled = now() - connectedAt > settledSeconds * 1000;
      const dead = suspects.filter(
        (other) => other.leaseOver || (other.lockFree && seenFree.has(nameOf(other)) && (settled || other.silent)),
      );
      seenFree = new Set(suspects.filter(({ lockFree }) => lockFree).map(nameOf));
      if (dead.length === 0) return;
      const runs: string[] = [];
      for (const died of [true, false]) {
        const workers = dead.filter(({ lockFree }) => lockFree === died).map((other) => other.workerId);
        if (workers.length > 0) runs.push(...(await takeOver(client, workers, died)));
      }
      tell({ kind: "took over", runs, workers: dead.map((other) => other.workerId) });
    },
  };
}

await live();
parentPort?.close();
