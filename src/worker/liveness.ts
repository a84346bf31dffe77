import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Logger } from "pino";
import type { HeldRun } from "../runs/claim.ts";
import type { WorkerFacts } from "../runs/workers.ts";
import { clockOf, type LivenessData, type LivenessNews, type LivenessOrder, now } from "./liveness-news.ts";

export interface LivenessOptions {
  url: string;
  worker: WorkerFacts;
  leaseSeconds: number;
  log: Logger;
  /** Called with the runs that this worker holds according to the database. `askedAt` is the time at which the query was sent. */
  onHeld: (held: HeldRun[], askedAt: number) => void;
  onHalted: (halted: boolean, askedAt: number) => void;
  /** Called with the number of runs of dead workers that this worker has returned to the queue. */
  onTookOver: (runs: number) => void;
  /** Called when the lease could not be renewed and will soon run out. Other workers may then take over this worker's runs. */
  onOutOfTouch: () => void;
  /** Called after the event loop was blocked, with the number of milliseconds for which it was blocked. */
  onBlocked: (ms: number) => void;
}

export interface Liveness {
  /** True if this worker is in the table `workers` and its connection is alive. Only then may it claim runs. */
  readonly announced: boolean;
  /** Renews the lease immediately, without waiting for the next regular renewal. */
  hurry(): void;
  stop(): Promise<void>;
}

const watchMs = 250;
const blockedMs = 1_000;

/** Starts the thread that renews this worker's lease. Resolves when the worker is in the table `workers`. */
export async function startLiveness(options: LivenessOptions): Promise<Liveness> {
  const { url, worker, leaseSeconds, log } = options;
  const clock = new SharedArrayBuffer(8);
  const lastRenewal = clockOf(clock);
  lastRenewal.set(now());
  const data: LivenessData = { url, worker, leaseSeconds, clock };
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js"; // the source file ends in ts, and the built file in js
  const thread = new Worker(new URL(`./liveness-thread.${extension}`, import.meta.url), { workerData: data, execArgv: [] });
  const first = Promise.withResolvers<void>();
  let announced = false;
  const noteConnection = (isConnected: boolean, error?: Error) => {
    announced = isConnected;
    if (isConnected) first.resolve();
    else first.reject(error);
  };
  thread.on("error", (err) => {
    log.fatal({ err }, "the liveness thread died");
    noteConnection(false, err);
  });
  thread.on("message", (news: LivenessNews) => handleNews(news, options, noteConnection));

  const watch = watchLoop(options.onBlocked, () => {
    if (now() - lastRenewal.get() > (leaseSeconds * 1000 * 2) / 3) options.onOutOfTouch();
  });
  const tell = (order: LivenessOrder) => thread.postMessage(order);
  const exited = once(thread, "exit");

  async function stop(): Promise<void> {
    clearInterval(watch);
    tell("stop");
    await exited;
  }

  await first.promise.catch(async (error) => {
    await stop();
    throw error;
  });
  return {
    get announced() {
      return announced;
    },
    hurry: () => tell("renew"),
    stop,
  };
}

function handleNews(news: LivenessNews, options: LivenessOptions, noteConnection: (isConnected: boolean, error?: Error) => void): void {
  const { log } = options;
  switch (news.kind) {
    case "connected":
      noteConnection(true);
      break;
    case "disconnected":
      log.warn({ reason: news.message }, "the worker lost its liveness connection, reconnecting");
      noteConnection(false, new Error(news.message));
      break;
    case "renewed":
      options.onHalted(news.halted, news.askedAt);
      options.onHeld(news.held, news.askedAt);
      break;
    case "took over":
      log.warn({ runs: news.runs, workers: news.workers }, "took over the runs of dead workers");
      options.onTookOver(news.runs.length);
  }
}

/** Starts a timer that detects a blocked event loop. A blocked loop delays the timer, and this delay is reported to `onBlocked`. */
function watchLoop(onBlocked: (ms: number) => void, check: () => void): NodeJS.Timeout {
  let expected = now() + watchMs;
  return setInterval(() => {
    const late = now() - expected;
    expected = now() + watchMs;
    if (late > blockedMs) onBlocked(late);
    check();
  }, watchMs);
}
