import { type Db, type Sql, sql } from "../db/sql.ts";

/** The topic that announces deliveries that are due. */
export const webhookTopic = "webhook";

/** The row of a run at the run's end. Its times are text, because Postgres writes times as text into JSON. */
export interface StoredRun {
  created_at: string;
  updated_at: string;
  run_started_at: string | null;
  run_ended_at: string;
  error: { message: string } | null;
  [field: string]: unknown;
}

/** The content of a webhook about an alert, as the statement that opens or closes the alert stores it. */
export interface StoredAlert {
  type: "alert.opened" | "alert.closed";
  crossed_at: string;
  changed_at: string;
  [field: string]: unknown;
}

/** A push notification of the Agent2Agent protocol about a task, as it is stored with its delivery. */
export interface Push {
  task_id: string;
  /** The state of the task, as version 0.3 of the Agent2Agent protocol names it. */
  state: "completed" | "failed" | "canceled" | "input-required";
  version: "1.0" | "0.3";
  /** The token with which the receiver recognises the sender. Empty if the client gave none. */
  token: string;
  /** The scheme and the credentials of the header Authorization. Empty if the client gave none. */
  scheme: string;
  credentials: string;
}

/** How fast a receiver responded last. A receiver is "new" if this process remembers no response from it. */
export type Pace = "new" | "prompt" | "slow";

/** A webhook receiver, its pace, and the number of deliveries to this receiver that are in progress. */
export interface Receiver {
  host: string;
  pace: Pace;
  underWay: number;
}

/** A delivery that this process has claimed, with its content. */
export interface Delivery {
  runId: string;
  url: string;
  host: string;
  pace: Pace;
  /** The content of the delivery: an alert if `alert` is not null, and a run otherwise. */
  run: StoredRun | StoredAlert;
  /** The name of the alert that the delivery reports. Null for any other delivery. */
  alert: string | null;
  /** The push notification that the delivery makes. Null for any other delivery. */
  push: Push | null;
  attempt: number;
  /** The time of the claim by the database's clock. */
  sentAt: Date;
}

/**
 * The number of seconds for which a claimed delivery belongs to this process. No delivery may take as long, so no other process can claim
 * it before it has ended.
 */
const leaseSeconds = 30;
const longestPauseSeconds = 3_600;
const deliveredKept = sql`interval '1 day'`;
const deadKept = sql`interval '30 days'`;

/**
 * Returns a `with` query that stores the webhooks of runs. Add it to the statement that ends these runs, so that no run ends without its
 * webhook. That statement must have a query `ended` with the runs' rows. `threads` is a table or a query that has the final values of the
 * runs' threads.
 */
export function storingWebhooks(threads: Sql): Sql {
  return sql`
    stored_webhooks as (
      insert into webhooks (run_id, thread_id, url, host, metadata, run)
      select ended.run_id, ended.thread_id, ended.webhook, coalesce(ended.webhook_host, ended.webhook), ended.metadata,
             json_build_object('run_id', ended.run_id, 'thread_id', ended.thread_id, 'assistant_id', assistant_id,
                               'metadata', ended.metadata, 'status', ended.status, 'kwargs', kwargs, 'multitask_strategy', multitask_strategy,
                               'created_at', ended.created_at, 'updated_at', ended.updated_at, 'run_started_at', started_at,
                               'run_ended_at', ended_at, 'values', rest."values", 'error', ended.error)
        from ended join ${threads} rest on rest.thread_id = ended.thread_id
       where ended.webhook is not null
          on conflict do nothing)`;
}

/**
 * The highest number of simultaneous deliveries to one receiver, by the receiver's pace. A new receiver starts with one delivery, because
 * it may never respond.
 */
const perReceiver = { new: 1, prompt: 4, slow: 4 };

/** The highest number of receivers that one claim considers. The next claim continues with the receivers after them. */
const maxReceivers = 500;
const maxPerReceiver = Math.max(...Object.values(perReceiver));

/** The claimed deliveries, and the receiver after which the next claim must begin. */
export interface ClaimedWebhooks {
  deliveries: Delivery[];
  /**
   * The last receiver that the claim considered. Undefined if no receivers are left, so that the next claim starts again with the first
   * one.
   */
  last: string | undefined;
}

/**
 * Claims due deliveries for a limited time. `free` is the number of further deliveries that may start, for each pace of receivers. The
 * number of deliveries to one receiver is limited too. Otherwise, a receiver that never responds would occupy all of them.
 */
export async function claimWebhooks(
  db: Db,
  free: Record<Pace, number>,
  known: Receiver[],
  after: string | undefined,
): Promise<ClaimedWebhooks> {
  const { text, values } = claiming(free, known, after);
  // A claimed delivery that cannot be decrypted is left out. It is due again when its claim expires. The other deliveries are made.
  const { rows } = await db.query<Partial<Delivery> & { last: string | null }>({ text, values, skipsUnreadable: true });
  const deliveries = rows.filter(({ runId }) => runId !== null) as Delivery[];
  return { deliveries, last: rows[0]?.last ?? undefined };
}

/**
 * Returns the statement that claims deliveries. It walks through an index from one receiver to the next, and reads only the first
 * deliveries of each. Its cost thus does not grow with the number of waiting deliveries. One row of the result contains no delivery, so
 * that the last receiver is known even if no delivery can be decrypted.
 */
const claiming = (free: Record<Pace, number>, known: Receiver[], after: string | undefined): Sql => sql`
  with recursive hosts (host, place) as (
    (select host, 1 from webhooks where status = 'pending' and host > ${after ?? ""} order by host limit 1)
     union all
    (select next.host, place + 1
       from hosts cross join lateral (
         select host from webhooks where status = 'pending' and webhooks.host > hosts.host order by webhooks.host limit 1) next
      where place < ${maxReceivers})),
  looked_at (host) as (
    select host from hosts
     union
    select '' where ${after === undefined}::boolean),
  receivers as (
    select * from unnest(${known.map(({ host }) => host)}::text[], ${known.map(({ pace }) => pace)}::text[],
                         ${known.map(({ underWay }) => underWay)}::integer[]) receiver (host, pace, under_way)),
  turns (pace, per_receiver, free) as (
    values ('new', ${perReceiver.new}::integer, ${free.new}::integer), ('prompt', ${perReceiver.prompt}, ${free.prompt}),
           ('slow', ${perReceiver.slow}, ${free.slow})),
  waiting as (
    select run_id, due_at, coalesce(pace, 'new') as pace,
           coalesce(under_way, 0) + row_number() over (partition by host order by due_at) as turn
      from looked_at
     cross join lateral (
       select run_id, due_at from webhooks
        where status = 'pending' and webhooks.host = looked_at.host and due_at <= now()
        order by due_at limit ${maxPerReceiver}) first
      left join receivers using (host)),
  placed as (
    select run_id, pace, turn, free, row_number() over (partition by pace order by turn, due_at) as place
      from waiting join turns using (pace)
     where turn <= per_receiver),
  due as (
    select webhooks.run_id, pace
      from webhooks join placed using (run_id)
     where place <= free and status = 'pending' and due_at <= now()
     order by turn, due_at
       for update of webhooks skip locked),
  claimed as (
    update webhooks set attempts = attempts + 1, due_at = now() + make_interval(secs => ${leaseSeconds})
      from due
     where webhooks.run_id = due.run_id
    returning webhooks.run_id as "runId", url, host, pace, run, alert, push, attempts as attempt, now() as "sentAt")
  select claimed.*, walked.last
    from (select case when count(*) = ${maxReceivers} then max(host) end as last from hosts) walked
   cross join (values (true), (false)) parts (has_delivery)
    left join claimed on has_delivery`;

/** Records that a delivery has arrived, even if the claim of the delivery has expired meanwhile. */
export async function noteDelivered(db: Db, { runId }: Delivery): Promise<void> {
  await db.query(sql`
    update webhooks set status = 'delivered', settled_at = now(), run = null, error = null
     where run_id = ${runId} and status <> 'delivered'`);
}

/**
 * Records that a delivery has failed, and postpones its next try. The pause doubles each time, up to an hour, and varies at random so that
 * deliveries are not all tried at the same moment. The last try is made after a day. If that try fails as well, or if the failure is
 * hopeless, the delivery is dead.
 */
export async function noteFailed(db: Db, { runId, attempt }: Delivery, error: string, hopeless: boolean): Promise<void> {
  const pause = Math.min(longestPauseSeconds, 2 ** Math.min(attempt - 1, 20)) * (0.5 + Math.random() / 2);
  const isDead = sql`(${hopeless} or give_up_at <= now())`;
  await db.query(sql`
    update webhooks
       set error = ${error}, due_at = least(now() + make_interval(secs => ${pause}), greatest(give_up_at, now())),
           status = case when ${isDead} then 'dead'::webhook_status else status end,
           settled_at = case when ${isDead} then now() end
     where run_id = ${runId} and attempts = ${attempt} and status = 'pending'`);
}

/**
 * Returns a delivery to the queue, because this process can no longer make it. The delivery is due again immediately, and this try does not
 * count.
 */
export async function giveBackWebhook(db: Db, { runId, attempt }: Delivery): Promise<void> {
  await db.query(sql`
    update webhooks set attempts = attempts - 1, due_at = now()
     where run_id = ${runId} and attempts = ${attempt} and status = 'pending'`);
}

const outdated = sql`(status = 'delivered' and settled_at < now() - ${deliveredKept} or status = 'dead' and settled_at < now() - ${deadKept})`;

/**
 * Deletes at most `limit` webhooks: those that arrived more than a day ago, and those that failed for good more than 30 days ago. Returns
 * the number of deleted webhooks.
 */
export async function sweepWebhooks(db: Db, limit: number): Promise<number> {
  const { rowCount } = await db.query(sql`
    delete from webhooks where run_id in (select run_id from webhooks where ${outdated} order by settled_at limit ${limit})`);
  return rowCount ?? 0;
}

/** Returns the number of webhooks that a sweep would delete. */
export async function countOutdatedWebhooks(db: Db): Promise<number> {
  const { rows } = await db.query<{ count: number }>(sql`select count(*)::integer as count from webhooks where ${outdated}`);
  return rows[0]?.count ?? 0;
}
