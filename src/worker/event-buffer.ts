import type { RunEvent } from "../events/log.ts";

/**
 * The number of waiting events above which the buffer is crowded. Events are then merged where possible, and the graph's next step must
 * wait.
 */
const roomEvents = 1_000;
const roomBytes = 1_000_000;
/**
 * The number of waiting bytes above which the run ends with an error. Otherwise, a node that emits events without end would exhaust the
 * memory of the process.
 */
const hardBytes = 64_000_000;

/**
 * An event that waits to be logged. If two events with the same `merge.key` follow each other, `merge.with` can combine them into one event
 * with the content of both.
 */
export interface PendingEvent {
  event: string;
  data: string;
  merge?: { key: string; with(successor: PendingEvent): PendingEvent };
}

export interface Batch {
  events: RunEvent[];
  /** The time at which the first event of the batch was added, in milliseconds of `performance.now()`. */
  since: number;
}

/** Holds the events that wait to be logged. An event gets its number when it is taken out. */
export class EventBuffer {
  #waiting: PendingEvent[] = [];
  #bytes = 0;
  #since = 0;
  #nextId: number;
  /** The promise that `room` returns while too many events wait. */
  #roomy: PromiseWithResolvers<void> | undefined;

  constructor(lastId: number) {
    this.#nextId = lastId + 1;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get isCrowded(): boolean {
    return this.#waiting.length > roomEvents || this.#bytes > roomBytes;
  }

  /** True if the waiting events have more bytes than a run may keep in memory. */
  get overflows(): boolean {
    return this.#bytes > hardBytes;
  }

  /** The number of the last event that was taken out of the buffer, or -1 if there was none. */
  get lastId(): number {
    return this.#nextId - 1;
  }

  add(event: PendingEvent): void {
    if (this.isEmpty) this.#since = performance.now();
    const last = this.isCrowded ? this.#waiting.at(-1) : undefined;
    const mergeable = last?.merge && last.merge.key === event.merge?.key ? last.merge : undefined;
    if (last && mergeable) {
      const merged = mergeable.with(event);
      this.#waiting[this.#waiting.length - 1] = merged;
      this.#bytes += merged.data.length - last.data.length;
    } else {
      this.#waiting.push(event);
      this.#bytes += event.data.length;
    }
  }

  /** Takes the next batch out of the buffer: as many events as one statement should store. */
  take(): Batch {
    let bytes = 0;
    let size = 0;
    while (size < this.#waiting.length && size < roomEvents && bytes < roomBytes) bytes += this.#waiting[size++]?.data.length ?? 0;
    const since = this.#since;
    this.#bytes -= bytes;
    this.#since = performance.now(); // the remaining events have waited longer, but an exact time does not matter for such large batches
    const events = this.#waiting.splice(0, size).map(({ event, data }) => ({ id: this.#nextId++, event, data }));
    return { events, since };
  }

  /** Drops all waiting events. */
  clear(): void {
    this.#waiting = [];
    this.#bytes = 0;
    this.#admitAll();
  }

  /** Resolves when the buffer is not crowded. */
  async room(): Promise<void> {
    if (!this.isCrowded) return;
    this.#roomy ??= Promise.withResolvers();
    await this.#roomy.promise;
  }

  /** Resolves the promise of `room` if the buffer is no longer crowded. Call it when a batch has been stored. */
  admit(): void {
    if (!this.isCrowded) this.#admitAll();
  }

  #admitAll(): void {
    this.#roomy?.resolve();
    this.#roomy = undefined;
  }
}
