import { orAborted } from "../db/abort.ts";
import type { LoggedEvent } from "./log.ts";

/** The number of recent events of a followed run that are kept in memory for all its followers. */
const windowEvents = 1_000;
const windowBytes = 1_000_000;
/**
 * The pause between wakeups for each follower. A write costs about 20 µs: a thousand followers get one every 100 ms, ten get it at once.
 */
const pauseMsPerFollower = 0.1;

/** Holds the newest events of a run for all its followers in this process. Followers that need older events read them from the log. */
export class RunWindow {
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
