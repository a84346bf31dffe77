import { z } from "zod";
import { type Db, prepared, type Sql, sql } from "../db/sql.ts";
import { ServiceError } from "../errors.ts";
import type { RunConfig } from "./run.ts";

/**
 * The distance between two turns in the queue, in seconds. A run gets a rank when it is created, and runs with smaller ranks are claimed
 * first. A rank is a time in seconds:
 * - A run without a queue key gets the rank of the run that is claimed next, but not less than the current time.
 * - The first waiting run of a key gets the rank of a run without a key. Each further run of the key gets a rank that is one turn later.
 *   One turn is `turnSeconds`, divided by the key's weight. Keys with many waiting runs thus take turns, and a key with few waiting runs
 *   need not wait for them.
 * - Each step of priority then moves the run forward by `turnSeconds`.
 *
 * Apart from the priority, the rank of a new run is never less than the current time. Later runs thus cannot overtake a waiting run
 * forever, and every run is claimed in the end.
 */
const turnSeconds = 60;

export const Priority = z.int().min(1).max(5);
const usualPriority = 3;

/** Returns the priority of a new run: its own, or else the priority in the merged config of its assistant, its thread and its request. */
export function priorityOf(own: number | undefined, config: RunConfig): number {
  const given = own ?? config.priority ?? usualPriority;
  const { success, data } = Priority.safeParse(given);
  if (!success)
    throw new ServiceError("invalid", `config.priority is ${JSON.stringify(given)}. It must be an integer from 1 (low) to 5 (high).`);
  return data;
}

/** Returns an SQL expression for the place of a run in the queue, as a time in seconds. Runs with smaller places are claimed first. */
export const placeInQueue: Sql = sql`coalesce(rank, extract(epoch from run_at)::double precision - (priority - 3) * 60)`;

/** A request for places in the queue, for `amount` new runs of a graph with this queue key. */
export interface TakenTurns {
  key: string;
  graphId: string;
  amount: number;
}

/**
 * Reserved places in the queue. `first` is the rank of the first place, and `step` is the distance from one place to the next, in seconds.
 */
export interface Turns {
  first: number;
  step: number;
  /** True if there is any limit on the number of waiting runs of a key. The caller must then check the number. */
  isBounded: boolean;
}

/**
 * Reserves places ("turns") in the queue for new runs with these keys. Returns the turns in the order of the requests. If a key has no
 * waiting run, its next place is at the front of the queue, however many runs it had before. If the runs of reserved turns are never
 * created, their places simply stay empty.
 */
export async function takeTurns(db: Db, wanted: TakenTurns[]): Promise<Turns[]> {
  const statement = sql`
    with wanted as (
      select key, max(first_rank(graph_id)) as first, sum(amount) as amount
        from unnest(${wanted.map(({ key }) => key)}::text[], ${wanted.map(({ graphId }) => graphId)}::text[],
                    ${wanted.map(({ amount }) => amount)}::integer[]) as w (key, graph_id, amount)
       group by key),
    taken as (
      insert into queue_keys as k (key, next_rank, turns)
      select key, first + amount * ${turnSeconds}::double precision, amount from wanted order by key
          on conflict (key) do update
         set next_rank = greatest(excluded.next_rank - excluded.turns * ${turnSeconds}::double precision,
                                  case when exists (select from runs where queue_key = k.key and status = 'pending') then k.next_rank end)
                         + excluded.turns * ${turnSeconds}::double precision / k.weight,
             turns = k.turns + excluded.turns, used_at = now()
      returning key, next_rank, weight)
    select key, next_rank - amount * ${turnSeconds}::double precision / weight as first, ${turnSeconds}::double precision / weight as step,
           exists (select from limits where max_waiting is not null) as "isBounded"
      from taken join wanted using (key)`;
  const { rows } = await db.query<Turns & { key: string }>(prepared("take turns", statement));
  const next = new Map(rows.map(({ key, ...turns }) => [key, turns]));
  return wanted.map(({ key, amount }) => {
    const turns = next.get(key) as Turns;
    next.set(key, { ...turns, first: turns.first + amount * turns.step });
    return turns;
  });
}

/**
 * Stores the weights of queue keys. A key with weight 3 gets three turns while a key with weight 1 gets one. Keys that are not in `weights`
 * get weight 1.
 */
export async function setWeights(db: Db, weights: Record<string, number>): Promise<void> {
  const keys = Object.keys(weights).sort();
  await db.query(sql`
    insert into queue_keys (key, next_rank, weight)
    select key, 0, weight from unnest(${keys}::text[], ${keys.map((key) => weights[key])}::double precision[]) as w (key, weight)
        on conflict (key) do update set weight = excluded.weight where queue_keys.weight <> excluded.weight`);
  await db.query(sql`update queue_keys set weight = 1 where weight <> 1 and key <> all(${keys}::text[])`);
}

/** Deletes at most `limit` keys that nobody has used for a day. Returns the number of deleted keys. */
export async function sweepQueueKeys(db: Db, limit: number): Promise<number> {
  const { rowCount } = await db.query(sql`
    delete from queue_keys k
     where key in (select key from queue_keys where weight = 1 and used_at < now() - interval '1 day' order by used_at limit ${limit} for update skip locked)
       and not exists (select from runs where queue_key = k.key and status = 'pending')`);
  return rowCount ?? 0;
}

/** The highest number of characters of a queue key. Longer identities and values are cut. */
const longestKey = 200;

/**
 * Returns the queue key of a new run: the user's identity, or else the value at the configured path of the run's metadata or context.
 * Returns null if there is neither.
 */
export function queueKeyOf(
  identity: string | undefined,
  path: readonly string[] | undefined,
  run: { metadata: unknown; context: unknown },
): string | null {
  const found = identity ?? path?.reduce<unknown>((value, name) => fieldOf(value, name), run);
  const isKey = (typeof found === "string" && found !== "") || typeof found === "number";
  return isKey ? String(found).replaceAll("\0", "").slice(0, longestKey) : null;
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
