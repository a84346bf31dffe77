import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { closeConnection, connectionOptions } from "./pool.ts";
import { type Db, sql } from "./sql.ts";

/**
 * The two channels: one for every process, and one for processes that follow runs, such as API servers. The events of runs are sent on the
 * second channel, so that these events do not wake processes that only execute runs.
 */
export const channels = { common: "ensemble", followers: "ensemble_runs" };
/** Returns the channel of a topic. A topic about one run or thread contains a colon, and is sent on the followers' channel. */
export const channelOf = (topic: string) => (topic.includes(":") ? channels.followers : channels.common);

const listenerNames = { follower: "ensemble listen", worker: "ensemble listen for work" };

export interface ListeningOptions {
  /** The URL for the LISTEN connection. It must bypass any transaction pooler. */
  url: string;
  /** True if this process follows runs. It then also listens on the followers' channel. */
  follows: boolean;
  onError: (error: Error) => void;
}

/**
 * Keeps one LISTEN connection open, and reconnects whenever it breaks. Notifications during a break are lost, but waiting callers find the
 * changes by polling.
 */
export function keepListening({ url, follows, onError }: ListeningOptions, onPayload: (payload?: string) => void, signal: AbortSignal) {
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

/**
 * Returns whether other processes listen, and whether some of them follow runs. Pass in `follows` whether this process follows runs,
 * because its own connection must not be counted.
 */
export async function findOtherListeners(db: Db, follows: boolean): Promise<{ there: boolean; following: boolean } | undefined> {
  const { follower, worker } = listenerNames;
  const { rows } = await db.query<{ there: boolean; following: boolean }>(sql`
    select count(*) > 1 as there, count(*) filter (where application_name = ${follower}) > ${follows ? 1 : 0} as following
      from pg_stat_activity where datname = current_database() and application_name in (${follower}, ${worker})`);
  return rows[0];
}
