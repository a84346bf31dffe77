import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { closeConnection, connectionOptions } from "./pool.ts";
import { type Db, prepared, type Sql, sql } from "./sql.ts";

/** One channel for every process and one for those that follow runs. A worker thus ignores the run events of other workers. */
const channels = { common: "ensemble", followers: "ensemble_runs" };
/** Returns the channel of a topic. Topics of one run or thread have its id after a colon. */
const channelOf = (topic: string) => (topic.includes(":") ? channels.followers : channels.common);
/** Postgres refuses a payload of 8,000 bytes. */
const payloadLimit = 7_500;

const listenerNames = { follower: "ensemble listen", worker: "ensemble listen for work" };
/** Announces a new process. Nobody waits for this topic. */
const helloTopic = "hello";
const lookMs = 1_000;

/** Wakes waiters early, in this process and in every other one. Nothing depends on a wakeup, because every waiter also polls. */
export interface Wakeups {
  /** Resolves at the next notification of the topic, after `timeoutMs`, or when the signal aborts. Never rejects. */
  next(topic: string, timeoutMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls the listener at every notification of the topic, until the returned function is called. */
  on(topic: string, listener: () => void): () => void;
  /** Notifies this process now, and the others as soon as the previous NOTIFY statement is done. Call it after the commit. */
  notify(...topics: string[]): void;
  /** Notifies this process only. */
  notifyHere(...topics: string[]): void;
  /** Notifies the other processes only, for topics that this process has handled in another way. */
  notifyElsewhere(...topics: string[]): void;
  stop(): Promise<void>;
}

export interface WakeupOptions {
  pool: Db;
  /** LISTEN needs a connection of its own that bypasses any transaction pooler. */
  url: string;
  /** Whether this process follows runs. */
  follows?: boolean;
  onError: (error: Error) => void;
}

/**
 * Starts listening, and returns the wakeups of this process. NOTIFY is never part of a transaction that writes, because such commits queue
 * behind a lock of the whole server. Topics are gathered instead, and one statement at a time names all of them.
 */
export async function startWakeups({ pool, url, follows = true, onError }: WakeupOptions): Promise<Wakeups> {
  const local = new EventEmitter().setMaxListeners(0);
  const sender = randomUUID(); // distinguishes our own notifications from those of others
  const pending = new Set<string>();
  const stopped = new AbortController();
  const others = { there: true, following: true, heard: 0 };
  const onPayload = (payload = "") => {
    const [from, ...topics] = payload.split(" ");
    if (from === sender) return;
    others.there = true;
    others.following = true;
    others.heard += 1;
    for (const topic of topics) local.emit(topic);
  };
  const listening = keepListening({ url, follows, onError }, onPayload, stopped.signal);
  await listening.first.catch((error) => {
    stopped.abort();
    throw error;
  });
  let sending: Promise<void> | undefined;
  pending.add(helloTopic);
  sending = sendPending();

  /**
   * Checks whether another process listens, because without a listener no NOTIFY is sent. A new process announces itself, and polls until
   * the others see it.
   */
  async function lookForOthers(): Promise<void> {
    const { heard } = others;
    const { follower, worker } = listenerNames;
    const { rows } = await pool.query<{ there: boolean; following: boolean }>(sql`
      select count(*) > 1 as there, count(*) filter (where application_name = ${follower}) > ${follows ? 1 : 0} as following
        from pg_stat_activity where datname = current_database() and application_name in (${follower}, ${worker})`);
    if (others.heard === heard) Object.assign(others, rows[0]);
  }
  await lookForOthers().catch(onError);
  const looking = setInterval(() => void lookForOthers().catch(onError), lookMs);

  async function sendPending(): Promise<void> {
    await undefined; // includes every topic of the same turn
    while (pending.size > 0) {
      const notifications = [...Map.groupBy(pending, channelOf)].flatMap(([channel, topics]) =>
        packTopics(sender, topics).map((payload) => ({ channel, payload })),
      );
      pending.clear();
      await pool.query(notifying(notifications)).catch(onError);
    }
    sending = undefined;
  }

  function notifyHere(...topics: string[]): void {
    for (const topic of topics) local.emit(topic);
  }

  function notifyElsewhere(...topics: string[]): void {
    for (const topic of topics) if (channelOf(topic) === channels.followers ? others.following : others.there) pending.add(topic);
    if (pending.size > 0) sending ??= sendPending();
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
      await sending;
      stopped.abort();
      await listening.closed;
    },
  };
}

function notifying(notifications: { channel: string; payload: string }[]): Sql {
  const targets = notifications.map(({ channel }) => channel);
  const payloads = notifications.map(({ payload }) => payload);
  return prepared(
    "tell",
    sql`select pg_notify(channel, payload) from unnest(${targets}::text[], ${payloads}::text[]) as notification (channel, payload)`,
  );
}

function packTopics(sender: string, topics: Iterable<string>): string[] {
  const payloads: string[] = [];
  let payload = sender;
  for (const topic of topics) {
    if (payload.length + topic.length + 1 > payloadLimit) {
      payloads.push(payload);
      payload = sender;
    }
    payload += ` ${topic}`;
  }
  payloads.push(payload);
  return payloads;
}

/** Keeps one LISTEN connection open, and reconnects whenever it breaks. Polling finds the notifications missed meanwhile. */
function keepListening(
  { url, follows, onError }: Required<Omit<WakeupOptions, "pool">>,
  onPayload: (payload?: string) => void,
  signal: AbortSignal,
) {
  const name = follows ? listenerNames.follower : listenerNames.worker;
  const { promise: first, resolve: onFirst, reject: onFirstFailure } = Promise.withResolvers<void>();

  async function listenOnce(): Promise<void> {
    const client = new pg.Client(connectionOptions(url, name));
    const ended = once(client, "end", { signal }).catch(() => {});
    client.on("error", onError);
    client.on("notification", ({ payload }) => onPayload(payload));
    try {
      await client.connect();
      await client.query(sql`select set_config('application_name', ${name}, false)`);
      await client.query(`listen ${channels.common}`);
      if (follows) await client.query(`listen ${channels.followers}`);
      onFirst();
      await ended;
    } finally {
      await closeConnection(client);
    }
  }

  async function loop(): Promise<void> {
    while (!signal.aborted) {
      await listenOnce().catch((error: Error) => {
        onFirstFailure(error);
        if (!signal.aborted) onError(error);
      });
      await sleep(250, undefined, { signal }).catch(() => {});
    }
  }

  return { first, closed: loop() };
}
