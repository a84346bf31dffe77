import { setTimeout as sleep } from "node:timers/promises";
import type { Wakeups } from "../db/listen.ts";
import { type BegunRun, readProgress } from "../runs/thread-runs.ts";
import type { ThreadEvent } from "./event.ts";
import { type EventSources, followRun, replay } from "./run-events.ts";
import { startThreadWatcher, type ThreadWatcher } from "./thread-watcher.ts";
import { ThreadWindow } from "./window.ts";

const retryMs = 1_000;

/** A feed with which any number of clients follow threads. A client gets the events of all runs of its thread. */
export interface ThreadFeed {
  /**
   * Yields the thread's events with numbers above `since`, in batches, as they arrive. Returns when the thread is deleted or `signal`
   * aborts. Throws when this process stops.
   */
  follow(threadId: string, since: number, signal: AbortSignal): AsyncGenerator<ThreadEvent[], void>;
  /**
   * Resolves with the time of the thread's last change, as soon as this time differs from `known`. Used for callers who are not
   * allowed to see the thread yet, and for callers who wait until the thread is created.
   */
  change(threadId: string, known: string | undefined, signal: AbortSignal): Promise<string | undefined>;
  /** Yields the thread's runs as they begin, without the runs before the event number `from`. */
  runs(threadId: string, from: number, signal: AbortSignal): AsyncGenerator<BegunRun, void>;
  stop(): Promise<void>;
}

export interface ThreadFeedDeps extends EventSources {
  wakeups: Wakeups;
  onError: (error: Error) => void;
}

interface Feed {
  sources: EventSources;
  windows: Map<string, ThreadWindow>;
  watcher: ThreadWatcher;
  stopped: AbortController;
  onError: (error: Error) => void;
}

/** Starts the feed, which passes the events of threads to their followers. Reads no events of a thread without followers. */
export function startThreadFeed({ pool, feed, wakeups, onError }: ThreadFeedDeps): ThreadFeed {
  const watcher = startThreadWatcher(pool, wakeups, onError);
  const stopped = new AbortController();
  const threads: Feed = { sources: { pool, feed }, windows: new Map(), watcher, stopped, onError };
  return {
    follow: (threadId, since, signal) => follow(threads, { threadId, since }, signal),
    change: (threadId, known, signal) => watcher.change(threadId, known, AbortSignal.any([signal, stopped.signal])),
    runs: (threadId, from, signal) => watcher.runs(threadId, from, AbortSignal.any([signal, stopped.signal])),
    async stop() {
      stopped.abort();
      await watcher.stop();
    },
  };
}

async function* follow(
  feed: Feed,
  { threadId, since }: { threadId: string; since: number },
  signal: AbortSignal,
): AsyncGenerator<ThreadEvent[], void> {
  const { window, leave } = await join(feed, threadId);
  const until = AbortSignal.any([signal, feed.stopped.signal]);
  let cursor = since;
  let timesBehind = 0;
  try {
    while (!until.aborted) {
      const events = window.since(cursor);
      if (events === undefined) cursor = yield* replay(feed.sources, { threadId, since: cursor, window, toEnd: timesBehind++ > 0 }, until);
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
}

/**
 * Adds the caller as a follower of a thread. Returns the window with the thread's newest events, which all followers of the thread share.
 * The caller must call `leave` at the end, because the window is closed when its last follower has left.
 */
async function join(feed: Feed, threadId: string): Promise<{ window: ThreadWindow; leave: () => void }> {
  const { base } = await readProgress(feed.sources.pool, threadId);
  const window = feed.windows.get(threadId) ?? open(feed, threadId, base);
  window.followers += 1;
  const leave = () => {
    window.followers -= 1;
    if (window.followers > 0) return;
    window.closed.abort();
    retire(feed, threadId, window);
  };
  return { window, leave };
}

function open(feed: Feed, threadId: string, base: number): ThreadWindow {
  const window = new ThreadWindow(base);
  feed.windows.set(threadId, window);
  void fill(feed, threadId, window);
  return window;
}

/** Fills a thread's window with the events of its runs, beginning with the open run, or with the next run if no run is open. */
async function fill(feed: Feed, threadId: string, window: ThreadWindow): Promise<void> {
  const signal = AbortSignal.any([window.closed.signal, feed.stopped.signal]);
  let from = window.floor;
  const pushAll = async () => {
    for await (const run of feed.watcher.runs(threadId, from, signal)) {
      from = run.base;
      for await (const events of followRun(feed.sources, run, signal, () => retire(feed, threadId, window))) window.push(events);
    }
    if (!signal.aborted) window.end();
  };
  while (!signal.aborted && !window.over) {
    await pushAll().catch((error: Error) => {
      if (!signal.aborted) feed.onError(error);
      return sleep(retryMs, undefined, { signal }).catch(() => {});
    });
  }
}

/**
 * Removes the window of a thread, so that later followers get a new, empty one. If a run was rolled back, the present followers keep the
 * old window, because they have already received events of that run.
 */
function retire({ windows }: Feed, threadId: string, window: ThreadWindow): void {
  if (windows.get(threadId) === window) windows.delete(threadId);
}
