import { orAborted } from "./abort.ts";
import type { Wakeups } from "./listen.ts";

const pollMs = 1_000;

/** Waits until rows have reached a state, such as the end of a run. One statement checks the rows of all waiting callers at once. */
export interface Watcher<Query, Result> {
  /**
   * Resolves with the query's result as soon as there is one, or with undefined when the signal aborts. The watcher looks for a result at
   * each notification with this topic, and at least once a second.
   */
  wait(query: Query, topic: string, signal: AbortSignal): Promise<Result | undefined>;
  stop(): Promise<void>;
}

export interface WatcherOptions<Query, Result> {
  wakeups: Wakeups;
  /**
   * Checks all queries in one statement. Returns one entry for each query, in the same order. The entry is undefined if the query has no
   * result yet.
   */
  look: (queries: Query[]) => Promise<(Result | undefined)[]>;
  onError: (error: Error) => void;
}

interface Waiter<Query, Result> {
  query: Query;
  found: PromiseWithResolvers<Result>;
}

export function startWatcher<Query, Result>({ wakeups, look, onError }: WatcherOptions<Query, Result>): Watcher<Query, Result> {
  const waiting = new Set<Waiter<Query, Result>>();
  const due = new Set<Waiter<Query, Result>>();
  let looking: Promise<void> | undefined;

  async function lookForDue(): Promise<void> {
    await undefined; // so that all callers of one turn of the event loop join the check
    while (due.size > 0) {
      const waiters = [...due];
      due.clear();
      const results = await look(waiters.map(({ query }) => query)).catch(onError);
      if (!results) break; // the next poll tries again
      for (const [index, { found }] of waiters.entries()) {
        const result = results[index];
        if (result !== undefined) found.resolve(result);
      }
    }
    looking = undefined;
  }

  function lookFor(waiters: Iterable<Waiter<Query, Result>>): void {
    for (const waiter of waiters) due.add(waiter);
    looking ??= lookForDue();
  }

  const poll = setInterval(() => waiting.size > 0 && lookFor(waiting), pollMs);

  return {
    async wait(query, topic, signal) {
      const waiter = { query, found: Promise.withResolvers<Result>() };
      const unlisten = wakeups.on(topic, () => lookFor([waiter]));
      waiting.add(waiter);
      lookFor([waiter]);
      try {
        return await orAborted(waiter.found.promise, signal);
      } finally {
        unlisten();
        waiting.delete(waiter);
        due.delete(waiter);
      }
    },
    async stop() {
      clearInterval(poll);
      await looking;
    },
  };
}
