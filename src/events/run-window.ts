import { orAborted } from "../db/abort.ts";
import type { LoggedEvent } from "./log.ts";

/** How many recent events of a followed run this process keeps in memory. All followers of the run share them. */
const windowEvents = 1_000;
const windowBytes = 1_000_000;
/**
 * The pause between two wakeups, for each follower of the run. Writing to a follower costs about 20 µs. A thousand followers are thus woken
 * every 100 ms, and ten almost at once.
 */
const pauseMsPerFollower = 0.1;

/**
 * Holds the newest events of a run in memory, for all its followers in this process. A follower that needs older events reads them from the
 * log.
 */
export class RunWindow {
  readonly runId: string;
  followers = 0;
  unlisten: () => void = () => {};
  /** The id of the newest event in the window. Undefined until the end of the log is known. */
  tail: number | undefined;
  over = false;
  /** True until the run is created. A read before that would not find the run and would treat it as deleted. */
  uncreated = false;
  /** True if a notification arrived while the run was only expected. */
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

  /** Returns the events after the cursor, or undefined if the window no longer reaches back that far. */
  since(after: number): LoggedEvent[] | undefined {
    if (this.tail !== undefined && after >= this.tail) return [];
    const first = this.#window[0]?.id;
    if (first === undefined || after + 1 < first) return undefined;
    // Followers at the same cursor get the same array, so that results derived from it are computed once.
    if (this.#shared?.after !== after || this.#shared.tail !== this.tail)
      this.#shared = { after, tail: this.tail, events: this.#window.slice(after + 1 - first) };
    return this.#shared.events;
  }

  /** Adds events to the window. Returns false if events are missing between the window's tail and the new ones. */
  take(events: LoggedEvent[]): boolean {
    const tail = this.tail;
    if (tail === undefined) return true; // the pending lookup of the log's end will cover these events
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

  /** Wakes the followers. If a run has many followers, events gather during the pause, and each follower gets them in one write. */
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
