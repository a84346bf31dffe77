import { setTimeout as sleep } from "node:timers/promises";
import type { Wakeups } from "../db/listen.ts";
import type { Db } from "../db/sql.ts";
import type { EventFeed } from "../events/feed.ts";
import { type BegunRun, baseAt, findEndedRun, readProgress, runsBetween } from "../runs/thread-runs.ts";
import type { ThreadEvent } from "./event.ts";
import { createProjection } from "./projection.ts";
import { startThreadWatcher } from "./thread-watcher.ts";
import { ThreadWindow } from "./window.ts";

const retryMs = 1_000;

/** Follows threads over all of their runs, for any number of clients. */
export interface ThreadFeed {
  /**
   * Yields the thread's events above a number in batches, as they come. Returns when the thread is deleted. Throws when this process stops.
   */
  follow(threadId: string, since: number, signal: AbortSignal): AsyncGenerator<ThreadEvent[], void>;
  /**
   * Resolves with the time of the thread's last change, once it differs from `known`. For callers that cannot see the thread yet, or wait
   * for its creation.
   */
  change(threadId: string, known: string | undefined, signal: AbortSignal): Promise<string | undefined>;
  /** Yields the thread's runs from a base on, as they begin. */
  runs(threadId: string, from: number, signal: AbortSignal): AsyncGenerator<BegunRun, void>;
  stop(): Promise<void>;
}

export interface ThreadFeedDeps {
  pool: Db;
  feed: EventFeed;
  wakeups: Wakeups;
  onError: (error: Error) => void;
}

/** Starts the feed. It reads nothing while there are no followers. */
export function startThreadFeed({ pool, feed, wakeups, onError }: ThreadFeedDeps): ThreadFeed {
  const windows = new Map<string, ThreadWindow>();
  const watcher = startThreadWatcher(pool, wakeups, onError);
  const stopped = new AbortController();

  /** Yields a run's events from its first one. If the run no longer exists at its end, `onGone` is called before the last events. */
  async function* followRun(run: BegunRun, signal: AbortSignal, onGone = () => {}): AsyncGenerator<ThreadEvent[], void> {
    const projection = createProjection(run);
    for await (const events of feed.follow(run.runId, -1, signal)) yield events.flatMap((event) => projection.project(event));
    if (signal.aborted) return;
    const end = await findEndedRun(pool, run.runId);
    if (!end) onGone();
    yield projection.projectEnd(end);
  }

  /** Fills a thread's window, from the open run or else from the next one. */
  async function fill(threadId: string, window: ThreadWindow): Promise<void> {
    const signal = AbortSignal.any([window.closed.signal, stopped.signal]);
    let from = window.floor;
    const pushAll = async () => {
      for await (const run of watcher.runs(threadId, from, signal)) {
        from = run.base;
        for await (const events of followRun(run, signal, () => retire(threadId, window))) window.push(events);
      }
      if (!signal.aborted) window.end();
    };
    while (!signal.aborted && !window.over) {
      await pushAll().catch((error: Error) => {
        if (!signal.aborted) onError(error);
        return sleep(retryMs, undefined, { signal }).catch(() => {});
      });
    }
  }

  /** Retires a window after a rollback. Its followers have seen the rolled back run and keep the window, and new followers get another. */
  function retire(threadId: string, window: ThreadWindow): void {
    if (windows.get(threadId) === window) windows.delete(threadId);
  }

  async function join(threadId: string): Promise<{ window: ThreadWindow; leave: () => void }> {
    const { base } = await readProgress(pool, threadId);
    let window = windows.get(threadId);
    if (!window) {
      window = new ThreadWindow(base);
      windows.set(threadId, window);
      void fill(threadId, window);
    }
    const joined = window;
    joined.followers += 1;
    const leave = () => {
      joined.followers -= 1;
      if (joined.followers > 0) return;
      joined.closed.abort();
      retire(threadId, joined);
    };
    return { window: joined, leave };
  }

  return {
    async *follow(threadId, since, signal) {
      const { window, leave } = await join(threadId);
      const until = AbortSignal.any([signal, stopped.signal]);
      let cursor = since;
      let timesBehind = 0;
      try {
        while (!until.aborted) {
          const events = window.since(cursor);
          if (events === undefined)
            cursor = yield* replay(pool, followRun, { threadId, since: cursor, window, toEnd: timesBehind++ > 0 }, until);
          else if (events.length > 0) {
            cursor = events.at(-1)?.seq ?? cursor;
            yield events;
          } else if (window.over) return;
          else await window.moved(until);
        }
      } finally {
        leave();
      }
      if (!signal.aborted) throw new Error("This process is stopping.");
    },
    change: (threadId, known, signal) => watcher.change(threadId, known, AbortSignal.any([signal, stopped.signal])),
    runs: (threadId, from, signal) => watcher.runs(threadId, from, AbortSignal.any([signal, stopped.signal])),
    async stop() {
      stopped.abort();
      await watcher.stop();
    },
  };
}

interface Replay {
  threadId: string;
  since: number;
  window: ThreadWindow;
  /** Whether to replay to the run's end. A follower that fell behind the window would have to replay the whole run each time. */
  toEnd: boolean;
}

type FollowRun = (run: BegunRun, signal: AbortSignal) => AsyncGenerator<ThreadEvent[], void>;

/** Yields events that the window no longer holds, for one follower. Returns the number up to which everything was sent. */
async function* replay(
  db: Db,
  followRun: FollowRun,
  { threadId, since, window, toEnd }: Replay,
  signal: AbortSignal,
): AsyncGenerator<ThreadEvent[], number> {
  let cursor = since;
  let from = await baseAt(db, threadId, since);
  while (!signal.aborted) {
    const { floor } = window; // read before the query, so that no run is missed in between
    const runs = await runsBetween(db, { threadId, from }, floor);
    if (runs.length === 0) return Math.max(cursor, floor);
    for (const run of runs) {
      for await (const events of followRun(run, signal)) {
        const missing = events.filter(({ seq }) => seq > cursor);
        cursor = missing.at(-1)?.seq ?? cursor;
        if (missing.length > 0) yield missing;
        if (!toEnd && cursor >= window.floor) return cursor;
      }
      from = run.base + 1;
    }
  }
  return cursor;
}
