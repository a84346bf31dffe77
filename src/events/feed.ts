import type { Wakeups } from "../db/listen.ts";
import type { Db } from "../db/sql.ts";
import { type LoggedEvent, newestEventId, readEvents } from "./log.ts";
import { createLogReader, type LogReader } from "./log-reader.ts";
import { RunWindow } from "./run-window.ts";

const pollMs = 1_000;

/** Returns the topic that announces new events of a run. */
export const runTopic = (runId: string) => `run:${runId}`;

/**
 * A feed with which any number of clients follow the event logs of runs. For each followed run, this process keeps the recent events in
 * memory (a `RunWindow`), which all followers of the run share. One poll reads the new events of all runs.
 */
export interface EventFeed {
  /**
   * Yields the run's events with ids above `after`, in batches, as they arrive. Returns when the run has ended or `signal` aborts, and
   * throws when this process stops.
   */
  follow(runId: string, after: number, signal: AbortSignal): AsyncGenerator<LoggedEvent[], void>;
  /**
   * Prepares for a run that this process is about to create, so that clients can follow the run from its first event without a query.
   * Returns a function that ends the preparation. Call it when a client follows the run, or when the creation has failed.
   */
  expect(runId: string): () => void;
  /**
   * Passes events that this process has just committed to the followers of the run in this process. The followers then need no query to get
   * these events.
   */
  publish(runId: string, events: LoggedEvent[]): void;
  /** Notifies the followers in this process that the run's end has been committed. `lastId` is the id of the run's last event. */
  publishEnd(runId: string, lastId: number): void;
  stop(): Promise<void>;
}

interface Feed {
  db: Db;
  wakeups: Wakeups;
  reader: LogReader;
  windows: Map<string, RunWindow>;
  stopped: AbortController;
}

/**
 * A follower's access to the events of a run. The follower must call `leave` at the end, because the run's recent events stay in memory
 * until its last follower has left.
 */
interface Follower {
  window: RunWindow;
  leave: () => void;
}

/** Starts the feed, which passes the events of runs to their followers. Reads no events of a run without followers. */
export function startFeed(db: Db, wakeups: Wakeups, onError: (error: Error) => void): EventFeed {
  const feed: Feed = { db, wakeups, reader: createLogReader(db, onError), windows: new Map(), stopped: new AbortController() };
  const { reader, windows, stopped } = feed;
  const poll = setInterval(() => {
    for (const window of windows.values()) reader.read(window);
  }, pollMs);

  return {
    follow: (runId, after, signal) => follow(feed, { runId, after }, signal),
    expect(runId) {
      const { window, leave } = enter(feed, runId);
      window.tail ??= -1;
      window.uncreated = true;
      return leave;
    },
    publish(runId, events) {
      const window = windows.get(runId);
      if (window && !window.take(events)) reader.read(window);
    },
    publishEnd(runId, lastId) {
      const window = windows.get(runId);
      if (window?.tail === lastId) window.end();
      else if (window) reader.read(window);
    },
    async stop() {
      clearInterval(poll);
      stopped.abort();
      await reader.idle();
    },
  };
}

async function* follow(feed: Feed, from: { runId: string; after: number }, signal: AbortSignal): AsyncGenerator<LoggedEvent[], void> {
  const { window, leave } = await join(feed, from.runId);
  const until = AbortSignal.any([signal, feed.stopped.signal]);
  let cursor = from.after;
  try {
    while (!until.aborted) {
      const events = window.since(cursor) ?? (await readPage(feed.db, from.runId, cursor));
      const last = events.at(-1);
      if (last) {
        cursor = last.id;
        yield events;
      } else if (window.over) return;
      else await window.moved(until);
    }
  } finally {
    leave();
  }
  if (!signal.aborted) throw new Error("This process is stopping.");
}

/** Adds a follower of a run that exists. If the follower is the run's first, also looks up the id of the newest event in the run's log. */
async function join(feed: Feed, runId: string): Promise<Follower> {
  const { window, leave } = enter(feed, runId);
  window.uncreated = false;
  if (window.notified) feed.reader.read(window);
  window.notified = false;
  if (window.tail === undefined) {
    const newest = await newestEventId(feed.db, runId).catch((error) => {
      leave();
      throw error;
    });
    window.tail ??= newest;
    feed.reader.read(window);
  }
  return { window, leave };
}

function enter(feed: Feed, runId: string): Follower {
  const window = feed.windows.get(runId) ?? open(feed, runId);
  window.followers += 1;
  const leave = () => {
    window.followers -= 1;
    if (window.followers > 0) return;
    window.unlisten();
    feed.windows.delete(runId);
  };
  return { window, leave };
}

function open({ wakeups, reader, windows }: Feed, runId: string): RunWindow {
  const window = new RunWindow(runId);
  window.unlisten = wakeups.on(runTopic(runId), () => reader.read(window));
  windows.set(runId, window);
  return window;
}

async function readPage(db: Db, runId: string, after: number): Promise<LoggedEvent[]> {
  const pages = await readEvents(db, [{ runId, after }]);
  return pages.get(runId)?.events ?? [];
}
