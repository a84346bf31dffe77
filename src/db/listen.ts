import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { closeConnection, connectionOptions } from "./pool.ts";
import { type Db, prepared, type Sql, sql } from "./sql.ts";

/** What concerns everybody, and what concerns only those who follow runs: a worker is not woken by every event of every other one. */
const channels = { common: "ensemble", followers: "ensemble_runs" };
/** Topics of one run or thread have its id behind a colon. */
const channelOf = (topic: string) => (topic.includes(":") ? channels.followers : channels.common);
/** Postgres refuses a payload of 8,000 bytes. */
const payloadLimit = 7_500;

const listenerNames = { follower: "ensemble listen", worker: "ensemble listen for work" };
/** Nobody waits for it: it says that somebody has come. */
const helloTopic = "hello";
const lookMs = 1_000;

/** Cuts waits short, in this process and in every other one. Nothing depends on it: every waiter also looks by itself. */
export interface Wakeups {
  /** Resolves at the next word on the topic, or after `timeoutMs`, or when the signal aborts; never rejects. */
  next(topic: string, timeoutMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls back at every word on the topic until the returned function is called. */
  on(topic: string, listener: () => void): () => void;
  /** Tells this process now, and the others as soon as the statement before it is done. Call it after the commit. */
  tell(...topics: string[]): void;
  /** Tells this process only: it does not concern the others. */
  tellHere(...topics: string[]): void;
  /** Tells the others only: this process was told in a better way. */
  tellElsewhere(...topics: string[]): void;
  stop(): Promise<void>;
}

export interface WakeupOptions {
  pool: Db;
  /** LISTEN needs a connection of its own, past any transaction pooler. */
  url: string;
  /** Whether runs are followed here. */
  follows?: boolean;
  onError: (error: Error) => void;
}

/**
 * A NOTIFY is never part of the transaction that writes: commits with one queue behind a lock of the whole server. So topics are
 * gathered, and one statement at a time names all that moved.
 */
export async function startWakeups({ pool, url, follows = true, onError }: WakeupOptions): Promise<Wakeups> {
  const local = new EventEmitter().setMaxListeners(0);
  const sender = randomUUID(); // our own words come back to us: by this we know them
  const untold = new Set<string>();
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
  let telling: Promise<void> | undefined;
  untold.add(helloTopic);
  telling = tellOthers();

  /** Whether anybody else listens: to nobody nothing is told. Who comes says hello, and whoever is not seen yet polls. */
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

  async function tellOthers(): Promise<void> {
    await undefined; // what is told in the same turn goes along
    while (untold.size > 0) {
      const words = [...Map.groupBy(untold, channelOf)].flatMap(([channel, topics]) =>
        packTopics(sender, topics).map((payload) => ({ channel, payload })),
      );
      untold.clear();
      await pool.query(tellingWords(words)).catch(onError);
    }
    telling = undefined;
  }

  function tellHere(...topics: string[]): void {
    for (const topic of topics) local.emit(topic);
  }

  function tellElsewhere(...topics: string[]): void {
    for (const topic of topics) if (channelOf(topic) === channels.followers ? others.following : others.there) untold.add(topic);
    if (untold.size > 0) telling ??= tellOthers();
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
    tell(...topics) {
      tellHere(...topics);
      tellElsewhere(...topics);
    },
    tellHere,
    tellElsewhere,
    async stop() {
      clearInterval(looking);
      await telling;
      stopped.abort();
      await listening.closed;
    },
  };
}

function tellingWords(words: { channel: string; payload: string }[]): Sql {
  return prepared(
    "tell",
    sql`select pg_notify(channel, payload)
          from unnest(${words.map(({ channel }) => channel)}::text[], ${words.map(({ payload }) => payload)}::text[]) as word (channel, payload)`,
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

/** One LISTEN connection, made anew whenever it breaks. What was missed meanwhile is found by polling. */
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
