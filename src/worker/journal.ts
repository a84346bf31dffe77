import { setImmediate as nextTurn } from "node:timers/promises";
import { type CheckpointRows, isAlike, joinRows, noRows } from "../checkpoints/rows.ts";
import { isDatabaseTrouble } from "../db/failure.ts";
import type { LoggedEvent, RunEvent } from "../events/log.ts";

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

/** The pen of an attempt: all that it has to store goes through here, in order, and what comes close together in one statement. */
export interface Journal {
  /** Events go in at any speed and reach the log in batches. */
  push(event: PendingEvent): void;
  /** Stores rows of the checkpoint tables. False when the right to write is lost. */
  store(rows: CheckpointRows): Promise<boolean>;
  /** Resolves when what waits is within bounds. */
  room(): Promise<void>;
  /** Resolves when everything pushed so far is in the log, or when it never will be. */
  flushed(): Promise<void>;
  readonly lastId: number;
}

export interface JournalOptions {
  /** Stores both, all or nothing, under the attempt's fence. Answers when that was, or undefined when the right is lost. */
  write: (events: RunEvent[], rows: CheckpointRows) => Promise<number | undefined>;
  lastId: number;
  /** Called after each commit with what followers may see now, and how long the first of it has waited for that. */
  committed: (events: LoggedEvent[], seconds: number) => void;
  /** Called once when the log refused or failed: nothing more is written. */
  refused: (reason: Error) => void;
  lostRight: () => Error;
}

interface Asked {
  rows: CheckpointRows;
  done: PromiseWithResolvers<boolean>;
}

/**
 * A flush starts when the one before it is done, and with the next turn of the event loop: so a single event waits about a millisecond, a
 * thousand share one statement, and with them goes what the graph's step has written and the checkpoint behind it.
 */
export function startJournal({ write, lastId, committed, refused, lostRight }: JournalOptions): Journal {
  let waiting: PendingEvent[] = [];
  let asked: Asked[] = [];
  let waitingBytes = 0;
  let nextId = lastId + 1;
  let broken = false;
  /** When the first of what waits came, and the first of what is being stored. */
  let waitingSince = 0;
  let storingSince = 0;
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
    await nextTurn();
    while (waiting.length > 0 || asked.length > 0) {
      const together = asked;
      asked = [];
      await storeTogether(takeBatch(), together);
      if (!isCrowded()) admitAll();
    }
    flushing = undefined;
  }

  async function storeTogether(events: RunEvent[], together: Asked[]): Promise<void> {
    const stored = await write(events, joinRows(together.map(({ rows }) => rows))).catch((error: Error) => error);
    if (stored instanceof Error && !isDatabaseTrouble(stored) && together.length + Math.min(events.length, 1) > 1)
      return storeApart(events, together);
    tell(events, stored);
    for (const { done } of together) answer(done, stored);
  }

  /** What the database does not take spoils only itself: an error, say, must still reach the log. */
  async function storeApart(events: RunEvent[], together: Asked[]): Promise<void> {
    if (events.length > 0) tell(events, await write(events, noRows).catch((error: Error) => error));
    for (const { rows, done } of together) answer(done, await write([], rows).catch((error: Error) => error));
  }

  function tell(events: RunEvent[], stored: number | undefined | Error): void {
    if (events.length === 0) return;
    const seconds = (performance.now() - storingSince) / 1000;
    if (typeof stored === "number")
      committed(
        events.map((event) => ({ ...event, at: stored })),
        seconds,
      );
    else breakOff(stored ?? lostRight());
  }

  function answer(done: Asked["done"], stored: number | undefined | Error): void {
    if (stored instanceof Error) done.reject(stored);
    else done.resolve(stored !== undefined);
  }

  function takeBatch(): RunEvent[] {
    let bytes = 0;
    let size = 0;
    while (size < waiting.length && size < roomEvents && bytes < roomBytes) bytes += waiting[size++]?.data.length ?? 0;
    waitingBytes -= bytes;
    storingSince = waitingSince;
    waitingSince = performance.now(); // what is left came before: how long before does not matter to a batch of a thousand
    return waiting.splice(0, size).map(({ event, data }) => ({ id: nextId++, event, data }));
  }

  return {
    push(event) {
      if (broken) return;
      if (waiting.length === 0) waitingSince = performance.now();
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
    async store(rows) {
      // Large values take the server long: they go at once, each by itself.
      if (!isAlike(rows)) return (await write([], rows)) !== undefined;
      const done = Promise.withResolvers<boolean>();
      asked.push({ rows, done });
      flushing ??= flushAll();
      return done.promise;
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
