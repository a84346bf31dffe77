import { setImmediate as nextTurn } from "node:timers/promises";
import { type CheckpointRows, isAlike, joinRows, noRows } from "../checkpoints/rows.ts";
import { isDatabaseTrouble } from "../db/failure.ts";
import type { LoggedEvent, RunEvent } from "../events/log.ts";
import { type Batch, EventBuffer, type PendingEvent } from "./event-buffer.ts";

/** Stores all events and checkpoint rows of an attempt, in order. Calls that arrive close together share a statement. */
export interface Journal {
  /** Adds an event without waiting for its write. Events are logged in batches, however fast they arrive. */
  push(event: PendingEvent): void;
  /** Stores rows of the checkpoint tables. Returns false if the attempt has lost the right to write. */
  store(rows: CheckpointRows): Promise<boolean>;
  /** Resolves when so few events are waiting that the graph may continue with its next step. */
  room(): Promise<void>;
  /** Resolves when all earlier events are logged, or when they can no longer be logged. */
  flushed(): Promise<void>;
  readonly lastId: number;
}

export interface JournalOptions {
  /**
   * Stores all of these events and rows, or none. Returns the database's time of the write, in milliseconds since 1970. Returns undefined
   * if the attempt has lost the right to write.
   */
  write: (events: RunEvent[], rows: CheckpointRows) => Promise<number | undefined>;
  lastId: number;
  /**
   * Called after each commit with the events that it has stored, which subscribers may now receive. `seconds` is how long the first of them
   * waited.
   */
  committed: (events: LoggedEvent[], seconds: number) => void;
  /** Called when events cannot be logged, or arrive faster than they are stored. The attempt must then stop. */
  refused: (reason: Error) => void;
  lostRight: () => Error;
}

interface StoreRequest {
  rows: CheckpointRows;
  done: PromiseWithResolvers<boolean>;
}

/** The result of a write: the time of the write in milliseconds, an error, or undefined if the attempt has lost the right to write. */
type Stored = number | undefined | Error;

export const startJournal = (options: JournalOptions): Journal => new Flusher(options);

/**
 * Writes the waiting events and rows, one statement after another. Each statement waits for the previous one, and for the next turn of the
 * event loop, so that more events can join it. A single event thus waits about a millisecond, while a thousand events share one statement.
 */
class Flusher implements Journal {
  readonly #options: JournalOptions;
  readonly #buffer: EventBuffer;
  #requests: StoreRequest[] = [];
  #isBroken = false;
  #flushing: Promise<void> | undefined;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#buffer = new EventBuffer(options.lastId);
  }

  readonly push = (event: PendingEvent): void => {
    if (this.#isBroken) return;
    this.#buffer.add(event);
    if (this.#buffer.overflows) this.#overflow();
    this.#flushing ??= this.#flushAll();
  };

  readonly store = async (rows: CheckpointRows): Promise<boolean> => {
    // Rows with large values do not wait for a shared statement. They get their own statement, because the server needs long for them.
    if (!isAlike(rows)) return (await this.#options.write([], rows)) !== undefined;
    const done = Promise.withResolvers<boolean>();
    this.#requests.push({ rows, done });
    this.#flushing ??= this.#flushAll();
    return done.promise;
  };

  readonly room = async (): Promise<void> => {
    if (!this.#isBroken) await this.#buffer.room();
  };

  readonly flushed = async (): Promise<void> => {
    await this.#flushing;
  };

  get lastId(): number {
    return this.#buffer.lastId;
  }

  async #flushAll(): Promise<void> {
    await nextTurn();
    while (!this.#buffer.isEmpty || this.#requests.length > 0) {
      const requests = this.#requests;
      this.#requests = [];
      await this.#storeAll(this.#buffer.take(), requests);
      this.#buffer.admit();
    }
    this.#flushing = undefined;
  }

  async #storeAll(batch: Batch, requests: StoreRequest[]): Promise<void> {
    const rows = joinRows(requests.map((request) => request.rows));
    const stored: Stored = await this.#options.write(batch.events, rows).catch((error: Error) => error);
    const isShared = requests.length + Math.min(batch.events.length, 1) > 1;
    if (stored instanceof Error && !isDatabaseTrouble(stored) && isShared) return this.#storeApart(batch, requests);
    this.#publish(batch, stored);
    for (const { done } of requests) answer(done, stored);
  }

  /**
   * Stores the events in one statement, and each request in a statement of its own. It is called after a shared statement has failed, so
   * that only the request that caused the failure fails.
   */
  async #storeApart(batch: Batch, requests: StoreRequest[]): Promise<void> {
    const { write } = this.#options;
    if (batch.events.length > 0) this.#publish(batch, await write(batch.events, noRows).catch((error: Error) => error));
    for (const { rows, done } of requests) answer(done, await write([], rows).catch((error: Error) => error));
  }

  #publish({ events, since }: Batch, stored: Stored): void {
    if (events.length === 0) return;
    if (typeof stored === "number") {
      const seconds = (performance.now() - since) / 1000;
      this.#options.committed(
        events.map((event) => ({ ...event, at: stored })),
        seconds,
      );
    } else this.#breakOff(stored ?? this.#options.lostRight());
  }

  #breakOff(reason: Error): void {
    this.#isBroken = true;
    this.#buffer.clear();
    this.#options.refused(reason);
  }

  /**
   * Makes the run fail, because its events arrive faster than they can be stored. Drops the waiting events, so that the process does not
   * run out of memory. The event that reports the run's error can still be logged afterwards.
   */
  #overflow(): void {
    this.#buffer.clear();
    this.#options.refused(new Error("The run emits events faster than they can be stored: 64 MB were waiting."));
  }
}

function answer(done: StoreRequest["done"], stored: Stored): void {
  if (stored instanceof Error) done.reject(stored);
  else done.resolve(stored !== undefined);
}
