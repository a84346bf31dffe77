import { newId } from "../../db/ids.ts";
import type { ThreadEvent } from "../../streaming/event.ts";
import { type Filter, toMatcher } from "../../streaming/filter.ts";

/** The highest number of subscriptions on one socket. A client that needs more subscriptions opens another socket. */
const mostSubscriptions = 50;

export interface SubscriptionOptions {
  /** Yields the thread's events with numbers above `since`, as they arrive. */
  follow: (since: number, signal: AbortSignal) => AsyncGenerator<ThreadEvent[], void>;
  send: (texts: string[]) => Promise<void>;
  /** Called with the error that prevents further events from being sent. */
  failed: (error: Error) => void;
  gone: AbortSignal;
}

interface Subscription {
  isWanted: (event: ThreadEvent) => boolean;
  /**
   * An event number. The subscription already has all matching events up to this number, so only events with higher numbers are sent to it.
   */
  through: number;
  over: boolean;
}

/**
 * Sends the events of all subscriptions of a socket in one sequence, which contains each event once, in the thread's order. The order
 * matters, because a client drops the events that arrive after the event that ends a run.
 *
 * A new subscription may want earlier events, which are sent to it separately. When it has all events up to the sequence's newest event, it
 * joins the sequence.
 */
export class Subscriptions {
  readonly #options: SubscriptionOptions;
  readonly #all = new Map<string, Subscription>();
  readonly #inLine = new Set<Subscription>();
  readonly #fresh: Subscription[] = [];
  /** The number of the last event that was sent in the common sequence. Undefined until the first subscription has started. */
  #sent: number | undefined;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  /**
   * Adds a subscription, and returns its id. Returns undefined if the socket has too many subscriptions. The subscription receives events
   * only after `start` has been called.
   */
  add(filter: Filter, since: number): string | undefined {
    if (this.#all.size >= mostSubscriptions) return undefined;
    const subscription = { isWanted: toMatcher(filter), through: since, over: false };
    const id = newId();
    this.#all.set(id, subscription);
    this.#fresh.push(subscription);
    return id;
  }

  /** Removes a subscription. Returns false if it does not exist. */
  remove(id: string): boolean {
    const subscription = this.#all.get(id);
    if (!subscription) return false;
    subscription.over = true;
    this.#inLine.delete(subscription);
    return this.#all.delete(id);
  }

  /** Starts the subscriptions that were added since the last call. */
  start(): void {
    const { failed } = this.#options;
    const group = this.#fresh.splice(0);
    if (group.length === 0) return;
    const since = Math.min(...group.map(({ through }) => through));
    if (this.#sent !== undefined) return void this.#catchUp(group, since).catch(failed);
    this.#sent = since;
    for (const subscription of group) this.#inLine.add(subscription);
    void this.#sendLine(since).catch(failed);
  }

  async #sendLine(since: number): Promise<void> {
    const { follow, gone } = this.#options;
    for await (const events of follow(since, gone)) {
      this.#sent = events.at(-1)?.seq ?? this.#sent;
      await this.#sendTo([...this.#inLine], events);
    }
  }

  async #catchUp(group: Subscription[], since: number): Promise<void> {
    const { follow, gone } = this.#options;
    if (this.#joinLine(group, since)) return;
    for await (const events of follow(since, gone)) {
      await this.#sendTo(group, events);
      if (this.#joinLine(group, events.at(-1)?.seq ?? since)) return;
      if (group.every(({ over }) => over)) return;
    }
  }

  /**
   * Adds a group of subscriptions to the common sequence, if the group has already received the events up to number `#sent`. `through` is
   * the number up to which the group has received the events. Returns false if the group lacks some of these events.
   */
  #joinLine(group: Subscription[], through: number): boolean {
    if (this.#sent === undefined || through < this.#sent) return false;
    for (const subscription of group) {
      subscription.through = Math.max(subscription.through, through);
      if (!subscription.over) this.#inLine.add(subscription);
    }
    return true;
  }

  async #sendTo(group: Subscription[], events: ThreadEvent[]): Promise<void> {
    const wanted = events.filter((event) => group.some(({ isWanted, through, over }) => !over && event.seq > through && isWanted(event)));
    if (wanted.length > 0) await this.#options.send(wanted.map(({ json }) => json));
  }
}
