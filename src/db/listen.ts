import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { channelOf, channels, findOtherListeners, keepListening, type ListeningOptions } from "./listening.ts";
import { createNotifier } from "./notifier.ts";
import type { Db } from "./sql.ts";

/** The topic that announces a new process. No code waits for it: any notification shows the other processes that someone listens. */
const helloTopic = "hello";
const lookMs = 1_000;

/** Notifications between processes, over Postgres. They only save time: every waiter also polls, so a lost notification does no harm. */
export interface Wakeups {
  /** Resolves at the next notification of the topic, after `timeoutMs`, or when the signal aborts. Never rejects. */
  next(topic: string, timeoutMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls the listener at every notification of the topic, until the returned function is called. */
  on(topic: string, listener: () => void): () => void;
  /** Notifies this process at once, and the other processes as soon as the previous NOTIFY statement is done. Call it after the commit. */
  notify(...topics: string[]): void;
  /** Notifies this process only. */
  notifyHere(...topics: string[]): void;
  /** Notifies the other processes only. Use it for topics that this process has handled already. */
  notifyElsewhere(...topics: string[]): void;
  stop(): Promise<void>;
}

export interface WakeupOptions extends Omit<ListeningOptions, "follows"> {
  pool: Db;
  follows?: boolean;
}

/** Whether other processes listen, as far as this one knows. No NOTIFY is sent to a channel without a listener. */
interface Others {
  there: boolean;
  following: boolean;
  /** The number of notifications received from other processes. */
  heard: number;
}

/**
 * Starts listening, and returns the wakeups of this process. NOTIFY never runs in a transaction that writes, because commits with a NOTIFY
 * queue behind a lock of the whole server. Instead, topics are gathered, and one NOTIFY statement at a time sends all of them.
 */
export async function startWakeups({ pool, url, follows = true, onError }: WakeupOptions): Promise<Wakeups> {
  const local = new EventEmitter().setMaxListeners(0);
  const sender = randomUUID(); // tells our own notifications from those of other processes
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

/** Passes a notification from another process on to the local listeners. It also proves that another process exists. */
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
 * Checks whether another process listens, because no NOTIFY is sent without a listener. If a notification arrives during the check, its
 * result is outdated and dropped.
 */
async function lookForOthers(db: Db, others: Others, follows: boolean): Promise<void> {
  const { heard } = others;
  const found = await findOtherListeners(db, follows);
  if (others.heard === heard) Object.assign(others, found);
}
