import { setImmediate as nextTurn } from "node:timers/promises";
import { type CheckpointRows, isAlike, joinRows, noRows } from "../checkpoints/rows.ts";
import { isDatabaseTrouble } from "../db/failure.ts";
import type { LoggedEvent, RunEvent } from "../events/log.ts";
import { type Batch, EventBuffer, type PendingEvent } from "./event-buffer.ts";

/** Stores everything that an attempt has to store, in order. Calls that come close together share a statement. */
export interface Journal {
  /** Events go in at any speed and reach the log in batches. */
  push(event: PendingEvent): void;
  /** Stores rows of the checkpoint tables. False when the right to write is lost. */
  store(rows: CheckpointRows): Promise<boolean>;
  /** Resolves when the waiting events are within bounds. */
  room(): Promise<void>;
  /** Resolves when everything pushed so far is in the log, or when it never will be. */
  flushed(): Promise<void>;
  readonly lastId: number;
}

export interface JournalOptions {
  /** Stores events and rows, all or nothing, under the attempt's fence. Returns the time, or undefined if the right is lost. */
  write: (events: RunEvent[], rows: CheckpointRows) => Promise<number | undefined>;
  lastId: number;
  /** Called after each commit with the events that subscribers may see now, and the seconds that the first of them waited. */
  committed: (events: LoggedEvent[], seconds: number) => void;
  /** Called when the log refused or failed. After a failure nothing more is written. */
  refused: (reason: Error) => void;
  lostRight: () => Error;
}

interface StoreRequest {
  rows: CheckpointRows;
  done: PromiseWithResolvers<boolean>;
}

/** The time of a write. Undefined if the right to write is lost. */
type Stored = number | undefined | Error;

export const startJournal = (options: JournalOptions): Journal => new Flusher(options);

/**
 * Starts a flush when the one before it is done, and with the next turn of the event loop. So a single event waits about a millisecond, a
 * thousand share one statement, and the rows of the graph's step go with them.
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
    // Large values take the server long: each is stored at once, by itself.
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

  /** Stores events and each request in statements of their own, so that a refused one fails alone. */
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

  /** Drops the waiting events, so that the process survives. The error that ends the run can still be logged. */
  #overflow(): void {
    this.#buffer.clear();
    this.#options.refused(new Error("The run emits events faster than they can be stored: 64 MB were waiting."));
  }
}

function answer(done: StoreRequest["done"], stored: Stored): void {
  if (stored instanceof Error) done.reject(stored);
  else done.resolve(stored !== undefined);
}
