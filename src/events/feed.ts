import { orAborted } from "../db/abort.ts";
import type { Wakeups } from "../db/listen.ts";
import type { Db } from "../db/sql.ts";
import { type LoggedEvent, newestEventId, type Page, readEvents } from "./log.ts";

/** The number of recent events of a followed run that are kept in memory for all its followers. */
const windowEvents = 1_000;
const windowBytes = 1_000_000;
const pollMs = 1_000;
/**
 * The pause between wakeups for each follower. A write costs about 20 µs: a thousand followers get one every 100 ms, ten get it at once.
 */
const pauseMsPerFollower = 0.1;

/** Returns the topic of a run's progress. */
export const runTopic = (runId: string) => `run:${runId}`;

/** Follows the logs of runs for any number of clients. Each run has one reader, and one poll serves all runs. */
export interface EventFeed {
  /** Yields the events after `after` in batches, as they come. Returns when the run is over, and throws when this process stops. */
  follow(runId: string, after: number, signal: AbortSignal): AsyncGenerator<LoggedEvent[], void>;
  /** Prepares for a run that is about to be created, so that following it from its first event needs no read. */
  expect(runId: string): () => void;
  /** Passes events that this process has just committed to its followers, so that they need not read them back. */
  publish(runId: string, events: LoggedEvent[]): void;
  /** Notifies followers in this process that the end of a run was committed, after the event `lastId`. */
  publishEnd(runId: string, lastId: number): void;
  stop(): Promise<void>;
}

/** Holds the newest part of a run's log. Followers that need older events read them from the log. */
class Reader {
  readonly runId: string;
  followers = 0;
  unlisten: () => void = () => {};
  /** The id of the newest event in the window. Later events are still to be read. Undefined until the log's end is known. */
  tail: number | undefined;
  over = false;
  /** Whether the run is not created yet. A read would not find it now, and treat it as deleted. */
  uncreated = false;
  /** Whether a notification arrived before the run was followed. */
  notified = false;
  #window: LoggedEvent[] = [];
  #bytes = 0;
  #moved = Promise.withResolvers<void>();
  #shared: { after: number; tail: number | undefined; events: LoggedEvent[] } | undefined;
  #wokenAt = Number.NEGATIVE_INFINITY;
  #waking: NodeJS.Timeout | undefined;

  constructor(runId: string) {
    this.runId = runId;
  }

  /** Returns the events after the cursor, or undefined when the window no longer reaches back that far. */
  since(after: number): LoggedEvent[] | undefined {
    if (this.tail !== undefined && after >= this.tail) return [];
    const first = this.#window[0]?.id;
    if (first === undefined || after + 1 < first) return undefined;
    // Followers at the same cursor get the same array, so that results derived from it are computed once.
    if (this.#shared?.after !== after || this.#shared.tail !== this.tail)
      this.#shared = { after, tail: this.tail, events: this.#window.slice(after + 1 - first) };
    return this.#shared.events;
  }

  /** Adds events to the window. Returns false when some in between are missing. */
  take(events: LoggedEvent[]): boolean {
    const tail = this.tail;
    if (tail === undefined) return true; // the pending read of the log's end continues from there
    const fresh = events.filter(({ id }) => id > tail);
    if (fresh.length === 0) return true;
    if (fresh[0]?.id !== tail + 1) return false;
    for (const event of fresh) this.#push(event);
    this.wake();
    return true;
  }

  end(): void {
    this.over = true;
    this.wake();
  }

  #push(event: LoggedEvent): void {
    this.tail = event.id;
    this.#window.push(event);
    this.#bytes += event.data.length;
    while (this.#window.length > windowEvents || (this.#bytes > windowBytes && this.#window.length > 1)) {
      this.#bytes -= this.#window.shift()?.data.length ?? 0;
    }
  }

  /** Wakes the followers. If there are many, events gather during the pause and share one write to each. */
  wake(): void {
    const pauseMs = this.over ? 0 : this.followers * pauseMsPerFollower;
    const waitMs = this.#wokenAt + pauseMs - performance.now();
    if (waitMs < 1) this.#wakeNow();
    else this.#waking ??= setTimeout(() => this.#wakeNow(), waitMs).unref();
  }

  #wakeNow(): void {
    clearTimeout(this.#waking);
    this.#waking = undefined;
    this.#wokenAt = performance.now();
    this.#moved.resolve();
    this.#moved = Promise.withResolvers();
  }

  async moved(signal: AbortSignal): Promise<void> {
    await orAborted(this.#moved.promise, signal);
  }
}

/** Starts the feed. It reads nothing while there are no followers. */
export function startFeed(db: Db, wakeups: Wakeups, onError: (error: Error) => void): EventFeed {
  const readers = new Map<string, Reader>();
  const unread = new Set<Reader>();
  const stopped = new AbortController();
  let reading: Promise<void> | undefined;

  async function readUnread(): Promise<void> {
    while (unread.size > 0) {
      const batch = [...unread];
      unread.clear();
      const pages = await readEvents(
        db,
        batch.map(({ runId, tail = -1 }) => ({ runId, after: tail })),
      ).catch(onError);
      if (!pages) break; // the next poll tries again
      for (const reader of batch) takePage(reader, pages.get(reader.runId));
    }
    reading = undefined;
  }

  function takePage(reader: Reader, page: Page | undefined): void {
    if (!page) return;
    reader.take(page.events);
    if (page.more) unread.add(reader);
    else if (page.over) reader.end();
  }

  function read(reader: Reader): void {
    if (reader.uncreated) reader.notified = true;
    if (reader.tail === undefined || reader.over || reader.uncreated) return;
    unread.add(reader);
    reading ??= readUnread();
  }

  const poll = setInterval(() => {
    for (const reader of readers.values()) read(reader);
  }, pollMs);

  function open(runId: string): Reader {
    const reader = new Reader(runId);
    reader.unlisten = wakeups.on(runTopic(runId), () => read(reader));
    readers.set(runId, reader);
    return reader;
  }

  function enter(runId: string): { reader: Reader; leave: () => void } {
    const reader = readers.get(runId) ?? open(runId);
    reader.followers += 1;
    const leave = () => {
      reader.followers -= 1;
      if (reader.followers > 0) return;
      reader.unlisten();
      readers.delete(runId);
    };
    return { reader, leave };
  }

  async function join(runId: string): Promise<{ reader: Reader; leave: () => void }> {
    const { reader, leave } = enter(runId);
    reader.uncreated = false;
    if (reader.notified) read(reader);
    reader.notified = false;
    if (reader.tail === undefined) {
      const newest = await newestEventId(db, runId).catch((error) => {
        leave();
        throw error;
      });
      reader.tail ??= newest;
      read(reader);
    }
    return { reader, leave };
  }

  return {
    async *follow(runId, after, signal) {
      const { reader, leave } = await join(runId);
      const until = AbortSignal.any([signal, stopped.signal]);
      let cursor = after;
      try {
        while (!until.aborted) {
          const events = reader.since(cursor) ?? (await readPage(db, runId, cursor));
          const last = events.at(-1);
          if (last) {
            cursor = last.id;
            yield events;
          } else if (reader.over) return;
          else await reader.moved(until);
        }
      } finally {
        leave();
      }
      if (!signal.aborted) throw new Error("This process is stopping.");
    },
    expect(runId) {
      const { reader, leave } = enter(runId);
      reader.tail ??= -1;
      reader.uncreated = true;
      return leave;
    },
    publish(runId, events) {
      const reader = readers.get(runId);
      if (reader && !reader.take(events)) read(reader);
    },
    publishEnd(runId, lastId) {
      const reader = readers.get(runId);
      if (reader?.tail === lastId) reader.end();
      else if (reader) read(reader);
    },
    async stop() {
      clearInterval(poll);
      stopped.abort();
      await reading;
    },
  };
}

async function readPage(db: Db, runId: string, after: number): Promise<LoggedEvent[]> {
  const pages = await readEvents(db, [{ runId, after }]);
  return pages.get(runId)?.events ?? [];
}
