import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { channelOf, channels, findOtherListeners, keepListening, type ListeningOptions } from "./listening.ts";
import { createNotifier } from "./notifier.ts";
import type { Db } from "./sql.ts";

/**
 * The topic of the notification that a process sends when it starts. No code waits for this topic. The notification only shows the running
 * processes that a new process listens, so that they begin to send it notifications.
 */
const helloTopic = "hello";
const lookMs = 1_000;

/**
 * Sends and receives notifications between processes with Postgres's NOTIFY. A notification only shortens the wait of code that waits for a
 * change. Such code also polls the database, so a lost notification does no harm.
 */
export interface Wakeups {
  /** Resolves at the next notification of the topic, after `timeoutMs`, or when the signal aborts. Never rejects. */
  next(topic: string, timeoutMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls the listener at every notification of the topic. Returns a function that removes the listener. */
  on(topic: string, listener: () => void): () => void;
  /**
   * Notifies this process at once, and the other processes shortly after. Call it after the commit, so that a notified process finds the
   * change.
   */
  notify(...topics: string[]): void;
  /** Notifies this process only. */
  notifyHere(...topics: string[]): void;
  /** Notifies only the other processes. Use it if this process has already reacted to the change. */
  notifyElsewhere(...topics: string[]): void;
  stop(): Promise<void>;
}

export interface WakeupOptions extends Omit<ListeningOptions, "follows"> {
  pool: Db;
  follows?: boolean;
}

/**
 * Tells whether other processes listen (`there`), and whether any of them needs the events of runs (`following`). If no other process
 * listens, this process sends no NOTIFY.
 */
interface Others {
  there: boolean;
  following: boolean;
  /** The number of notifications that have arrived from other processes so far. */
  heard: number;
}

/**
 * Starts to listen for notifications. Returns the object through which this process sends and receives them. NOTIFY never runs in a
 * transaction that writes, because such transactions commit one after another, behind a lock of the whole server. Instead, a separate
 * NOTIFY statement sends all topics that were collected while the previous statement ran.
 */
export async function startWakeups({ pool, url, follows = true, onError }: WakeupOptions): Promise<Wakeups> {
  const local = new EventEmitter().setMaxListeners(0);
  const sender = randomUUID(); // distinguishes our own notifications from those of other processes
  const others: Others = { there: true, following: true, heard: 0 };
  const stopped = new AbortController();
  const onPayload = (payload = "") => receive(payload, { sender, local, others });
  const listening = keepListening({ url, follows, onError }, onPayload, stopped.signal);
  await listening.first.catch((error) => {
    stopped.abort();
    throw error;
  });
  const notifier = createNotifier(pool, sender, onError);
  notifier.send([helloTopic]);
  await lookForOthers(pool, others, follows).catch(onError);
  const looking = setInterval(() => void lookForOthers(pool, others, follows).catch(onError), lookMs);

  function notifyHere(...topics: string[]): void {
    for (const topic of topics) local.emit(topic);
  }
  function notifyElsewhere(...topics: string[]): void {
    notifier.send(topics.filter((topic) => isHeard(topic, others)));
  }

  return {
    async next(topic, timeoutMs, signal) {
      const timeout = AbortSignal.timeout(timeoutMs);
      await once(local, topic, { signal: signal ? AbortSignal.any([timeout, signal]) : timeout }).catch(() => {});
    },
    on(topic, listener) {
      local.on(topic, listener);
      return () => local.off(topic, listener);
    },
    notify(...topics) {
      notifyHere(...topics);
      notifyElsewhere(...topics);
    },
    notifyHere,
    notifyElsewhere,
    async stop() {
      clearInterval(looking);
      await notifier.idle();
      stopped.abort();
      await listening.closed;
    },
  };
}

/** Passes a notification from another process to the listeners in this process. Also records that another process listens. */
function receive(payload: string, { sender, local, others }: { sender: string; local: EventEmitter; others: Others }): void {
  const [from, ...topics] = payload.split(" ");
  if (from === sender) return;
  others.there = true;
  others.following = true;
  others.heard += 1;
  for (const topic of topics) local.emit(topic);
}

const isHeard = (topic: string, others: Others) => (channelOf(topic) === channels.followers ? others.following : others.there);

/**
 * Asks the database whether other processes listen, and stores the answer in `others`. Ignores the answer if a notification has arrived
 * during the query, because the answer may then be older than the notification.
 */
async function lookForOthers(db: Db, others: Others, follows: boolean): Promise<void> {
  const { heard } = others;
  const found = await findOtherListeners(db, follows);
  if (others.heard === heard) Object.assign(others, found);
}
