import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { closeConnection, connectionOptions } from "./pool.ts";
import { type Db, sql } from "./sql.ts";

const channel = "ensemble";
/** Postgres refuses a payload of 8,000 bytes. */
const payloadLimit = 7_500;

const listenerName = "ensemble listen";
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
  onError: (error: Error) => void;
}

/**
 * A NOTIFY is never part of the transaction that writes: commits with one queue behind a lock of the whole server. So topics are
 * gathered, and one statement at a time names all that moved.
 */
export async function startWakeups({ pool, url, onError }: WakeupOptions): Promise<Wakeups> {
  const local = new EventEmitter().setMaxListeners(0);
  const sender = randomUUID(); // our own words come back to us: by this we know them
  const untold = new Set<string>();
  const stopped = new AbortController();
  const others = { there: true, heard: 0 };
  const onPayload = (payload = "") => {
    const [from, ...topics] = payload.split(" ");
    if (from === sender) return;
    others.there = true;
    others.heard += 1;
    for (const topic of topics) local.emit(topic);
  };
  const listening = keepListening(url, onPayload, stopped.signal, onError);
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
    const { rows } = await pool.query<{ there: boolean }>(sql`
      select count(*) > 1 as there from pg_stat_activity where datname = current_database() and application_name = ${listenerName}`);
    if (others.heard === heard) others.there = rows[0]?.there ?? true;
  }
  await lookForOthers().catch(onError);
  const looking = setInterval(() => void lookForOthers().catch(onError), lookMs);

  async function tellOthers(): Promise<void> {
    await undefined; // what is told in the same turn goes along
    while (untold.size > 0) {
      const payloads = packTopics(sender, untold);
      untold.clear();
      await pool.query(sql`select pg_notify(${channel}, payload) from unnest(${payloads}::text[]) payload`).catch(onError);
    }
    telling = undefined;
  }

  function tellHere(...topics: string[]): void {
    for (const topic of topics) local.emit(topic);
  }

  function tellElsewhere(...topics: string[]): void {
    if (!others.there) return;
    for (const topic of topics) untold.add(topic);
    telling ??= tellOthers();
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
function keepListening(url: string, onPayload: (payload?: string) => void, signal: AbortSignal, onError: (error: Error) => void) {
  const { promise: first, resolve: onFirst, reject: onFirstFailure } = Promise.withResolvers<void>();

  async function listenOnce(): Promise<void> {
    const client = new pg.Client(connectionOptions(url, listenerName));
    const ended = once(client, "end", { signal }).catch(() => {});
    client.on("error", onError);
    client.on("notification", ({ payload }) => onPayload(payload));
    try {
      await client.connect();
      await client.query(sql`select set_config('application_name', ${listenerName}, false)`);
      await client.query(`listen ${channel}`);
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
