import { type Db, type Sql, sql } from "../db/sql.ts";

/**
 * This file has the queries by which a claim obeys the limits. A claim locks the rows of `limit_slots` that it needs, and skips the rows
 * that other claims have locked. In the same statement, it takes slots for the runs that it claims.
 */

/**
 * The `with` queries that run before a claim reads the queued runs. They read the worker's graphs from the query `wanted`:
 * - `asked_graphs`: the graphs that have runs to claim. It is read only if there are limits.
 * - `limited`: the limits of the worker's graphs. `is_asked` tells whether a graph of the limit has runs to claim.
 * - `totals`: the rows that count the slots of whole limits, which this query locks.
 * - `covering`: the limits that the claim can obey, with the number of further runs that each allows (`room`).
 * - `open_graphs`: the graphs from which the claim may take runs. It leaves out graphs whose limit is full or locked by another claim.
 */
const beforeCandidates: Sql = sql`
    asked_graphs as materialized (
      select graph_id from wanted
       where exists (select from (select from runs where head and not parked and rank is not null and graph_id = wanted.graph_id
                                   order by rank, seq limit 1) ranked)
          or exists (select from runs where head and rank is null and graph_id = wanted.graph_id and run_at <= now())),
    limited as materialized (
      select l.*, total is not null or rate is not null as has_total,
             exists (select from asked_graphs where graph_id = any(l.graphs)) as is_asked
        from limits l where has_slots and exists (select from wanted where graph_id = any(l.graphs))),
    totals as materialized (
      select s.name, s.running,
             floor(least(l.rate, coalesce(s.tokens, l.rate) + extract(epoch from now() - s.refilled_at) * l.rate / l.rate_seconds)) as tokens
        from limited l join limit_slots s on s.name = l.name and s.key = ''
       where l.has_total and l.is_asked
       order by s.name
         for update of s skip locked),
    covering as materialized (
      select l.name, l.graphs, l.per_key, l.shadow, l.has_total, least(l.total - t.running, t.tokens) as room
        from limited l left join totals t using (name)
       where not l.has_total or t.name is not null),
    open_graphs as (
      select graph_id from wanted
       where not exists (select from limited l left join covering c using (name)
                          where graph_id = any(l.graphs) and (c.name is null or (c.room < 1 and not l.shadow))))`;

/**
 * The `with` queries that decide about the candidates in the query `first`:
 * - `keyed`: the locked rows that count the slots of the candidates' keys.
 * - `counted`: each candidate with each of its limits, and its position among the candidates of its key.
 * - `full_key`: the candidates whose key has no free slot. `is_known` is false if the key's row is missing or locked by another claim.
 * - `refused`: the candidates of `full_key`, and those for which the total of a limit has no room.
 * - `missing`: creates the missing rows of keys, so that the next claim finds them.
 */
const aboutCandidates: Sql = sql`
    asked as materialized (
      select f.run_id, f.place, f.seq, f.queue_key, c.name, c.per_key, c.room, c.shadow
        from first f join covering c on f.graph_id = any(c.graphs) where f.cancel is null),
    keyed as materialized (
      select s.name, s.key, s.running from limit_slots s
       where (s.name, s.key) in (select name, queue_key from asked where per_key is not null and queue_key is not null)
       order by s.name, s.key
         for update skip locked),
    counted as (
      select a.*, k.name is not null as is_known, a.per_key - k.running as key_room, a.per_key is not null and a.queue_key is not null as is_keyed,
             row_number() over (partition by a.name, a.queue_key order by a.place, a.seq) as nth_of_key
        from asked a left join keyed k on k.name = a.name and k.key = a.queue_key),
    full_key as (
      select run_id, bool_and(is_known) as is_known from counted
       where is_keyed and not shadow and (key_room is null or nth_of_key > key_room)
       group by run_id),
    rest as (
      select *, row_number() over (partition by name order by place, seq) as nth from counted
       where run_id not in (select run_id from full_key)),
    refused as (
      select run_id from full_key union select run_id from rest where nth > room and not shadow),
    missing as (
      insert into limit_slots (name, key)
      select distinct c.name, c.queue_key from counted c
       where c.is_keyed and not c.is_known and not exists (select from limit_slots s where s.name = c.name and s.key = c.queue_key)
       order by 1, 2
          on conflict do nothing),
    held as (select run_id, array_agg(name order by name) as holds from asked group by run_id)`;

/**
 * The `with` queries that follow the claimed runs in the query `claimed`:
 * - `taken`: takes the slots and tokens of the claimed runs.
 * - `noted`: counts, for each limit, the runs whose key had no free slot. In shadow mode, also counts the runs beyond the total.
 * - `parking`: parks the candidates whose key is full, so that later claims need not look at them.
 */
const afterClaim: Sql = sql`
    slots as (
      select name, key, count(*)::integer as amount
        from claimed cross join unnest(holds) name cross join lateral (values (''), ("queueKey")) keys (key)
       where key is not null group by name, key),
    taken as (
      update limit_slots s
         set running = s.running + slots.amount, used_at = now(), refilled_at = now(),
             tokens = case when s.key = '' and l.rate is not null
                           then least(l.rate, coalesce(s.tokens, l.rate) + extract(epoch from now() - s.refilled_at) * l.rate / l.rate_seconds) - slots.amount end
        from slots join limited l using (name)
       where s.name = slots.name and s.key = slots.key and (s.key <> '' or l.has_total)),
    over as (
      select name, count(*) as amount from (
        select name, run_id from counted where is_keyed and is_known and nth_of_key > key_room
         union
        select name, run_id from rest where nth > room and shadow) refusals
       group by name),
    noted as (update limits l set refused = l.refused + over.amount from over where l.name = over.name),
    parking as (
      update runs set parked = true
       where run_id in (select run_id from runs
                         where run_id in (select run_id from full_key where is_known) and head and status = 'pending' and not parked
                           for no key update skip locked)
      returning run_id)`;

/**
 * The columns about limits in the result of a claim. `parked` is the number of runs that the claim has parked. `limited` tells whether a
 * limit applies to one of the worker's graphs. `contended` tells whether another claim had locked rows that this claim needs.
 */
const facts: Sql = sql`
  (select count(*)::integer from parking) as parked, exists (select from limited) as limited,
  (exists (select from limited where has_total and is_asked and name not in (select name from totals))
   or exists (select from full_key where not is_known)) as contended`;

/** The parts of a claim's statement that depend on whether the claim obeys limits. */
export interface LimitQueries {
  before: Sql;
  between: Sql;
  holds: Sql;
  joined: Sql;
  admitted: Sql;
  after: Sql;
  facts: Sql;
}

export const withLimits: LimitQueries = {
  before: beforeCandidates,
  between: sql`${aboutCandidates},`,
  holds: sql`held.holds`,
  joined: sql`left join held using (run_id)`,
  admitted: sql`first.run_id not in (select run_id from refused)`,
  after: sql`, ${afterClaim}`,
  facts,
};

/**
 * The parts of a claim that leaves out the graphs with limits. Most services have no limits, and starting the queries for limits would take
 * longer than the rest of the claim.
 */
export const withoutLimits: LimitQueries = {
  before: sql`
    open_graphs as (
      select graph_id from wanted where not exists (select from limits l where has_slots and graph_id = any(l.graphs)))`,
  between: sql``,
  holds: sql`null::text[]`,
  joined: sql``,
  admitted: sql`true`,
  after: sql``,
  facts: sql`0 as parked, false as contended, exists (select from wanted join limits l on has_slots and graph_id = any(l.graphs)) as limited`,
};

/**
 * Counts the running runs of a limit again, and corrects the numbers of occupied slots. Call this after the limit has got a total, a rate
 * or a limit for each key. Locks the rows of the slots first. A run that is ending must then wait, so it cannot change the numbers during
 * the count.
 */
export async function countSlots(tx: Db, name: string): Promise<void> {
  await tx.query(sql`select 1 from limit_slots where name = ${name} order by key for update`);
  await tx.query(sql`
    update limit_slots s set running = actual.running
      from (select key, (select count(*)::integer from runs
                          where status = 'running' and ${name} = any(holds) and (key = '' or queue_key = key)) as running
              from limit_slots where name = ${name}) actual
     where s.name = ${name} and s.key = actual.key and s.running <> actual.running`);
}

/**
 * Creates the missing rows of `limit_slots` for a limit, for its total and for the keys of its running runs. Commit the new rows before you
 * call `countSlots`, so that runs that end meanwhile find them.
 */
export async function insertSlots(db: Db, name: string): Promise<void> {
  await db.query(sql`
    insert into limit_slots (name, key)
    select ${name}, '' from limits where name = ${name} and (total is not null or rate is not null)
     union
    select ${name}, queue_key from runs, limits l
     where l.name = ${name} and l.per_key is not null and status = 'running' and ${name} = any(holds) and queue_key is not null
     order by 1, 2
        on conflict do nothing`);
}

/**
 * Makes parked runs claimable if their key has a free slot, or if no limit with `per_key` applies to them any more. Handles at most `most`
 * runs for each key and limit. Returns the number of these runs. The query begins with the keys of parked runs, because `limit_slots` may
 * have no row for a key without running runs.
 */
export async function unpark(db: Db, most: number): Promise<number> {
  const { rowCount } = await db.query(sql`
    with recursive parked_keys as (
      (select queue_key from runs where head and parked order by queue_key limit 1)
       union all
      select (select queue_key from runs where head and parked and queue_key > last.queue_key order by queue_key limit 1)
        from parked_keys last where last.queue_key is not null),
    vacancies as (
      select p.queue_key, l.graphs, least(l.per_key - coalesce(s.running, 0), ${most}::integer) as amount
        from parked_keys p cross join limits l left join limit_slots s on s.name = l.name and s.key = p.queue_key
       where p.queue_key is not null and l.per_key > coalesce(s.running, 0)),
    free as (
      select run_id from vacancies v cross join lateral (
        select run_id from runs where head and parked and queue_key = v.queue_key and graph_id = any(v.graphs) order by rank, seq limit v.amount) next
       union
      (select run_id from runs r where head and parked
          and not exists (select from limits l where l.per_key is not null and not l.shadow and r.graph_id = any(l.graphs)) limit ${most}))
    update runs set parked = false
     where run_id in (select run_id from runs where run_id in (select run_id from free) and head and parked for no key update skip locked)`);
  return rowCount ?? 0;
}

/** Deletes at most `limit` rows of keys that have had no running run for an hour. */
export async function sweepSlots(db: Db, limit: number): Promise<void> {
  await db.query(sql`
    delete from limit_slots where (name, key) in (
      select name, key from limit_slots where key <> '' and running = 0 and used_at < now() - interval '1 hour' limit ${limit} for update skip locked)`);
}
