import { channelOf } from "./listening.ts";
import { type Db, prepared, type Sql, sql } from "./sql.ts";

/** The longest payload that we send, in bytes. Postgres refuses payloads of 8,000 bytes or more. */
const payloadLimit = 7_500;

/** Sends NOTIFY statements, one at a time. Topics that arrive while a statement runs are sent together by the next statement. */
export interface Notifier {
  send(topics: string[]): void;
  /** Resolves when every waiting topic has been sent. */
  idle(): Promise<void>;
}

/** Creates a notifier. Each payload begins with `sender`, the id of this process, so that a process can ignore its own notifications. */
export function createNotifier(db: Db, sender: string, onError: (error: Error) => void): Notifier {
  const pending = new Set<string>();
  let sending: Promise<void> | undefined;

  async function sendPending(): Promise<void> {
    await undefined; // so that all topics of one turn of the event loop join the statement
    while (pending.size > 0) {
      const notifications = [...Map.groupBy(pending, channelOf)].flatMap(([channel, topics]) =>
        packTopics(sender, topics).map((payload) => ({ channel, payload })),
      );
      pending.clear();
      await db.query(notifying(notifications)).catch(onError);
    }
    sending = undefined;
  }

  return {
    send(topics) {
      for (const topic of topics) pending.add(topic);
      if (pending.size > 0) sending ??= sendPending();
    },
    idle: async () => sending,
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
