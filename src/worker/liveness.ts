import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Logger } from "pino";
import type { HeldRun } from "../runs/claim.ts";
import { clockOf, type LivenessData, type LivenessNews, type LivenessOrder, now } from "./liveness-news.ts";

export interface LivenessOptions {
  url: string;
  workerId: string;
  /** The graphs that the worker has. */
  graphs: string[];
  leaseSeconds: number;
  log: Logger;
  /** The runs that the database says are still here, at a moment. */
  onHeld: (held: HeldRun[], askedAt: number) => void;
  onHalted: (halted: boolean, askedAt: number) => void;
  /** Runs of dead workers are back in the queue. */
  onTookOver: (runs: number) => void;
  /** The lease is nearly over and could not be renewed: what runs here may soon run elsewhere. */
  onOutOfTouch: () => void;
  /** The event loop stood still for this many milliseconds. */
  onBlocked: (ms: number) => void;
}

export interface Liveness {
  /** Whether this worker is announced on a living connection: only then may it claim. */
  readonly announced: boolean;
  /** Asks for news now instead of within a second. */
  hurry(): void;
  stop(): Promise<void>;
}

const watchMs = 250;
const blockedMs = 1_000;

/** Starts the thread that keeps this worker alive in the eyes of the others. Resolves when it is announced. */
export async function startLiveness(options: LivenessOptions): Promise<Liveness> {
  const { url, workerId, graphs, leaseSeconds, log } = options;
  const clock = new SharedArrayBuffer(8);
  const lastRenewal = clockOf(clock);
  lastRenewal.set(now());
  const data: LivenessData = { url, workerId, graphs, leaseSeconds, clock };
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js"; // from the sources, or from the built package
  const thread = new Worker(new URL(`./liveness-thread.${extension}`, import.meta.url), { workerData: data, execArgv: [] });
  const first = Promise.withResolvers<void>();
  let announced = false;

  thread.on("error", (err) => {
    log.fatal({ err }, "the liveness thread died");
    first.reject(err);
    announced = false;
  });
  thread.on("message", (news: LivenessNews) => {
    switch (news.kind) {
      case "connected":
        announced = true;
        return first.resolve();
      case "disconnected":
        announced = false;
        first.reject(new Error(news.message));
        return log.warn({ reason: news.message }, "the worker lost its liveness connection, reconnecting");
      case "renewed":
        options.onHalted(news.halted, news.askedAt);
        return options.onHeld(news.held, news.askedAt);
      case "took over":
        log.warn({ runs: news.runs, workers: news.workers }, "took over the runs of dead workers");
        return options.onTookOver(news.runs.length);
    }
  });

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

/** A timer that notices when it comes late: then something held the event loop. */
function watchLoop(onBlocked: (ms: number) => void, check: () => void): NodeJS.Timeout {
  let expected = now() + watchMs;
  return setInterval(() => {
    const late = now() - expected;
    expected = now() + watchMs;
    if (late > blockedMs) onBlocked(late);
    check();
  }, watchMs);
}
