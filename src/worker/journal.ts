import type { Fence } from "../db/fence.ts";
import type { Db } from "../db/sql.ts";
import { appendEvents, type LoggedEvent, type RunEvent } from "../events/log.ts";

/** Beyond this, what waits for the log is merged where it can be, and the graph's next step has to wait. */
const roomEvents = 1_000;
const roomBytes = 1_000_000;
/** Beyond this, the run ends in error: a node that emits without end would take the process with it. */
const hardBytes = 64_000_000;

/** An event on its way to the log. Two neighbours with the same merge key can become one that says what both say. */
export interface PendingEvent {
  event: string;
  data: string;
  merge?: { key: string; with(successor: PendingEvent): PendingEvent };
}

/** The pen of an attempt: events go in at any speed and reach the log in order, in batches. */
export interface Journal {
  push(event: PendingEvent): void;
  /** Resolves when what waits is within bounds. */
  room(): Promise<void>;
  /** Resolves when everything pushed so far is in the log, or when it never will be. */
  flushed(): Promise<void>;
  readonly lastId: number;
}

export interface JournalOptions {
  db: Db;
  fence: Fence;
  lastId: number;
  /** Called after each commit with what followers may see now. */
  committed: (events: LoggedEvent[]) => void;
  /** Called once when the log refused or failed: nothing more is written. */
  refused: (reason: Error) => void;
  lostRight: () => Error;
}

/**
 * A flush starts when the one before it is done, so that a single event waits about a millisecond and a thousand share one statement.
 */
export function startJournal({ db, fence, lastId, committed, refused, lostRight }: JournalOptions): Journal {
  let waiting: PendingEvent[] = [];
  let waitingBytes = 0;
  let nextId = lastId + 1;
  let broken = false;
  let flushing: Promise<void> | undefined;
  /** What all who wait for room wait for; there while somebody does. */
  let roomy: PromiseWithResolvers<void> | undefined;

  const isCrowded = () => waiting.length > roomEvents || waitingBytes > roomBytes;

  function admitAll(): void {
    roomy?.resolve();
    roomy = undefined;
  }

  function breakOff(reason: Error): void {
    broken = true;
    waiting = [];
    waitingBytes = 0;
    admitAll();
    refused(reason);
  }

  /** What waits is given up, so that the process lives; the error that ends the run can still be told. */
  function overflow(): void {
    waiting = [];
    waitingBytes = 0;
    admitAll();
    refused(new Error("The run emits events faster than they can be stored: 64 MB were waiting."));
  }

  async function flushAll(): Promise<void> {
    await undefined; // what is pushed in the same turn goes along
    while (waiting.length > 0) {
      const events = takeBatch();
      const stored = await appendEvents(db, fence, events).catch((error: Error) => error);
      if (typeof stored === "number") committed(events.map((event) => ({ ...event, at: stored })));
      else breakOff(stored ?? lostRight());
      if (!isCrowded()) admitAll();
    }
    flushing = undefined;
  }

  function takeBatch(): RunEvent[] {
    let bytes = 0;
    let size = 0;
    while (size < waiting.length && size < roomEvents && bytes < roomBytes) bytes += waiting[size++]?.data.length ?? 0;
    waitingBytes -= bytes;
    return waiting.splice(0, size).map(({ event, data }) => ({ id: nextId++, event, data }));
  }

  return {
    push(event) {
      if (broken) return;
      const last = isCrowded() ? waiting.at(-1) : undefined;
      if (last?.merge && last.merge.key === event.merge?.key) {
        const merged = last.merge.with(event);
        waiting[waiting.length - 1] = merged;
        waitingBytes += merged.data.length - last.data.length;
      } else {
        waiting.push(event);
        waitingBytes += event.data.length;
      }
      if (waitingBytes > hardBytes) overflow();
      flushing ??= flushAll();
    },
    async room() {
      if (broken || !isCrowded()) return;
      roomy ??= Promise.withResolvers();
      await roomy.promise;
    },
    async flushed() {
      await flushing;
    },
    get lastId() {
      return nextId - 1;
    },
  };
}
