import { orAborted } from "../db/abort.ts";
import type { Wakeups } from "../db/listen.ts";
import type { Db } from "../db/sql.ts";
import { threadTopic } from "../runs/run.ts";
import { type BegunRun, type NextRun, nextRuns } from "../runs/thread-runs.ts";

const pollMs = 1_000;

/** Waits for runs of any number of threads, with one statement for all who wait. */
export interface Lookout {
  /** The runs of a thread from a base on, in the order in which they began, as they begin. Ends when the thread is gone, or with the signal. */
  runs(threadId: string, from: number, signal: AbortSignal): AsyncGenerator<BegunRun, void>;
  stop(): Promise<void>;
}

interface Waiter {
  threadId: string;
  from: number;
  found: PromiseWithResolvers<BegunRun | undefined>;
}

export function startLookout(db: Db, wakeups: Wakeups, onError: (error: Error) => void): Lookout {
  const waiting = new Set<Waiter>();
  const toLook = new Set<Waiter>();
  let looking: Promise<void> | undefined;

  async function lookAll(): Promise<void> {
    await undefined; // who comes in the same turn goes along
    while (toLook.size > 0) {
      const waiters = [...toLook];
      toLook.clear();
      const next = await nextRuns(db, waiters).catch(onError);
      if (!next) break; // the next poll tries again
      for (const [index, waiter] of waiters.entries()) answer(waiter, next[index]);
    }
    looking = undefined;
  }

  function look(waiters: Iterable<Waiter>): void {
    for (const waiter of waiters) toLook.add(waiter);
    looking ??= lookAll();
  }

  const poll = setInterval(() => waiting.size > 0 && look(waiting), pollMs);

  /** The next run; undefined when there will be none. */
  async function nextRun(threadId: string, from: number, signal: AbortSignal): Promise<BegunRun | undefined> {
    const waiter: Waiter = { threadId, from, found: Promise.withResolvers() };
    const unlisten = wakeups.on(threadTopic(threadId), () => look([waiter]));
    waiting.add(waiter);
    look([waiter]);
    try {
      return await orAborted(waiter.found.promise, signal);
    } finally {
      unlisten();
      waiting.delete(waiter);
      toLook.delete(waiter);
    }
  }

  return {
    async *runs(threadId, from, signal) {
      for (let run = await nextRun(threadId, from, signal); run; run = await nextRun(threadId, run.base + 1, signal)) yield run;
    },
    async stop() {
      clearInterval(poll);
      await looking;
    },
  };
}

function answer(waiter: Waiter, next: NextRun | undefined): void {
  if (!next) return;
  if (next.run) waiter.found.resolve(next.run);
  else if (!next.known) waiter.found.resolve(undefined);
  waiter.from = next.from;
}
