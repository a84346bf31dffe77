import { orAborted } from "../db/abort.ts";
import type { LoggedEvent } from "./log.ts";

/** The limits of the recent events that this process keeps in memory for each followed run, in events and in bytes. */
const windowEvents = 1_000;
const windowBytes = 1_000_000;
/**
 * The shortest pause between two wakeups of a run's followers, in milliseconds for each follower of the run. Writing to one follower costs
 * about 20 µs. A thousand followers are thus woken only every 100 ms, and ten every millisecond.
 */
const pauseMsPerFollower = 0.1;

/** The newest events of a run, in memory, for all followers of the run in this process. Older events must be read from the log. */
export class RunWindow {
  readonly runId: string;
  followers = 0;
  unlisten: () => void = () => {};
  /** The id of the newest event in the window, or -1 if the run has no event. Undefined until the newest id in the log has been read. */
  tail: number | undefined;
  over = false;
  /**
   * True until the run has been created. A read before that would not find the run, and would wrongly conclude that the run was deleted.
   */
  uncreated = false;
  /** True if a notification of the run's topic arrived while `uncreated` was true. */
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

  /** Returns the events after the cursor. Returns undefined if the window no longer has all of them. */
  since(after: number): LoggedEvent[] | undefined {
    if (this.tail !== undefined && after >= this.tail) return [];
    const first = this.#window[0]?.id;
    if (first === undefined || after + 1 < first) return undefined;
    // All followers at the same cursor get the same array object, because other modules use the array as a cache key.
    if (this.#shared?.after !== after || this.#shared.tail !== this.tail)
      this.#shared = { after, tail: this.tail, events: this.#window.slice(after + 1 - first) };
    return this.#shared.events;
  }

  /** Adds events to the window. Returns false, and adds nothing, if there is a gap between the events in the window and the new ones. */
  take(events: LoggedEvent[]): boolean {
    const tail = this.tail;
    if (tail === undefined) return true; // the events are already in the log, where the query for the newest id will find them
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

  /**
   * Wakes the followers of the run, so that they read the new events. With many followers, waits a moment first, so that each follower gets
   * several events together. Each then writes to its client less often.
   */
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
