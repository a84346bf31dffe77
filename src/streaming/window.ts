import { orAborted } from "../db/abort.ts";
import type { ThreadEvent } from "./event.ts";

const windowEvents = 2_000;
const windowBytes = 2_000_000;

/**
 * Holds the newest events of a thread in memory, in the form that clients receive, for all followers in this process. Older events must be
 * read from the log and converted again.
 */
export class ThreadWindow {
  followers = 0;
  readonly closed = new AbortController();
  /** True if the thread has been deleted. */
  over = false;
  /** The window contains all events of the thread whose numbers are higher than this number. */
  floor: number;
  #tail: number;
  #events: ThreadEvent[] = [];
  #bytes = 0;
  #moved = Promise.withResolvers<void>();

  constructor(floor: number) {
    this.floor = floor;
    this.#tail = floor;
  }

  /** Returns the events with numbers above `number`. Returns undefined if the window no longer has all of them. */
  since(number: number): ThreadEvent[] | undefined {
    if (number >= this.#tail) return [];
    if (number < this.floor) return undefined;
    return this.#events.slice(this.#events.findLastIndex(({ seq }) => seq <= number) + 1);
  }

  /**
   * Adds those events that the window does not have yet. If reading a run fails, the run is read again from its first event, so some events
   * arrive twice.
   */
  push(events: ThreadEvent[]): void {
    const fresh = events.filter(({ seq }) => seq > this.#tail);
    for (const event of fresh) {
      this.#tail = event.seq;
      this.#events.push(event);
      this.#bytes += event.json.length;
    }
    this.#trim();
    if (fresh.length > 0) this.wake();
  }

  #trim(): void {
    let surplus = 0;
    while (this.#events.length - surplus > windowEvents || (this.#bytes > windowBytes && this.#events.length - surplus > 1)) {
      const gone = this.#events[surplus++];
      this.#bytes -= gone?.json.length ?? 0;
      this.floor = gone?.seq ?? this.floor;
    }
    if (surplus > 0) this.#events.splice(0, surplus);
  }

  end(): void {
    this.over = true;
    this.wake();
  }

  wake(): void {
    this.#moved.resolve();
    this.#moved = Promise.withResolvers();
  }

  async moved(signal: AbortSignal): Promise<void> {
    await orAborted(this.#moved.promise, signal);
  }
}
