import { newId } from "../db/ids.ts";
import type { ThreadEvent } from "../streaming/event.ts";
import { type Filter, toMatcher } from "../streaming/filter.ts";

/** What a socket can have; whoever wants to see more opens another one. */
const mostSubscriptions = 50;

export interface SubscriptionOptions {
  /** The thread's events above a number, as they come. */
  follow: (since: number, signal: AbortSignal) => AsyncGenerator<ThreadEvent[], void>;
  send: (texts: string[]) => Promise<void>;
  /** Called when the events cannot be told any more. */
  failed: (error: Error) => void;
  gone: AbortSignal;
}

/** What one socket wants to see of its thread. */
export interface Subscriptions {
  /** Takes a subscription in; it is told nothing until `start`. Undefined when there are too many. */
  add(filter: Filter, since: number): string | undefined;
  remove(id: string): boolean;
  /** Begins to tell what was taken in since the last time. */
  start(): void;
}

interface Subscription {
  isWanted: (event: ThreadEvent) => boolean;
  /** What it has been told, or does not want to be told. */
  through: number;
  over: boolean;
}

/**
 * Tells all subscriptions of a socket in one line, each event once and in the thread's order: a client that hears of a run's end takes
 * what comes behind it for late. A subscription that comes later is told by itself what the others have heard, and joins them then.
 */
export function createSubscriptions({ follow, send, failed, gone }: SubscriptionOptions): Subscriptions {
  const all = new Map<string, Subscription>();
  const inLine = new Set<Subscription>();
  const fresh: Subscription[] = [];
  /** How far the line has come; undefined before it begins. */
  let told: number | undefined;

  async function tellLine(since: number): Promise<void> {
    for await (const events of follow(since, gone)) {
      told = events.at(-1)?.seq ?? told;
      await sendTo([...inLine], events);
    }
  }

  async function catchUp(group: Subscription[], since: number): Promise<void> {
    if (joinLine(group, since)) return;
    for await (const events of follow(since, gone)) {
      await sendTo(group, events);
      if (joinLine(group, events.at(-1)?.seq ?? since)) return;
      if (group.every(({ over }) => over)) return;
    }
  }

  function joinLine(group: Subscription[], through: number): boolean {
    if (told === undefined || through < told) return false;
    for (const subscription of group) {
      subscription.through = Math.max(subscription.through, through);
      if (!subscription.over) inLine.add(subscription);
    }
    return true;
  }

  async function sendTo(group: Subscription[], events: ThreadEvent[]): Promise<void> {
    const wanted = events.filter((event) => group.some(({ isWanted, through, over }) => !over && event.seq > through && isWanted(event)));
    if (wanted.length > 0) await send(wanted.map(({ json }) => json));
  }

  return {
    add(filter, since) {
      if (all.size >= mostSubscriptions) return undefined;
      const subscription = { isWanted: toMatcher(filter), through: since, over: false };
      const id = newId();
      all.set(id, subscription);
      fresh.push(subscription);
      return id;
    },
    remove(id) {
      const subscription = all.get(id);
      if (!subscription) return false;
      subscription.over = true;
      inLine.delete(subscription);
      return all.delete(id);
    },
    start() {
      const group = fresh.splice(0);
      if (group.length === 0) return;
      const since = Math.min(...group.map(({ through }) => through));
      if (told !== undefined) return void catchUp(group, since).catch(failed);
      told = since;
      for (const subscription of group) inLine.add(subscription);
      void tellLine(since).catch(failed);
    },
  };
}
