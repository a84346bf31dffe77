import { type Db, type Sql, sql } from "../db/sql.ts";
import { type LimitColumns, type ResourceKind, type ResourceLimit, toColumns, toLimit } from "./limit.ts";

/** A resource as the API shows it. */
export interface ListedResource {
  name: string;
  kind: ResourceKind;
  capacity: number;
  limit: ResourceLimit;
  /** True if an operator has replaced the limit of langgraph.json. */
  overridden: boolean;
  /** The number of units that running nodes hold now. */
  held: number;
  /**
   * The number of units or tokens that are free now. For a pool, it is negative if an operator has reduced the pool below the number of
   * units that nodes hold.
   */
  free: number;
  /** The number of requests that wait for this resource. */
  waiting: number;
  /** The number of seconds that the oldest waiting request has waited. 0 if no request waits. */
  longest_wait_seconds: number;
  /** The number of requests that had to wait since the resource was created. */
  contention: number;
  /** The requests that hold the resource, and then those that wait, the oldest first. At most 20 requests are listed. */
  holders: ResourceHolder[];
}

/** A run's request for a resource. */
export interface ResourceHolder {
  thread_id: string;
  run_id: string;
  state: "held" | "waiting";
  amount: number;
  priority: number;
  /** The number of seconds since the run made the request. */
  seconds: number;
}

const mostHolders = 20;

type Row = Omit<ListedResource, "limit"> & LimitColumns;

/** Returns all resources with their usage, sorted by name. */
export const listResources = (db: Db): Promise<ListedResource[]> => readResources(db, sql`true`);

/** Returns the names of all resources, sorted. */
export async function listResourceNames(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(sql`select name from resources order by name`);
  return rows.map(({ name }) => name);
}

/** Returns one resource with its usage, or undefined if there is none with this name. */
export async function findResource(db: Db, name: string): Promise<ListedResource | undefined> {
  const [found] = await readResources(db, sql`r.name = ${name}`);
  return found;
}

async function readResources(db: Db, which: Sql): Promise<ListedResource[]> {
  const { rows } = await db.query<Row>(sql`
    select r.name, r.kind, r.capacity, r.per_seconds as "perSeconds", r.overridden, floor(room.free)::double precision as free,
           coalesce(used.held, 0)::double precision as held, coalesce(used.waiting, 0)::integer as waiting,
           coalesce(extract(epoch from now() - used.oldest), 0)::double precision as longest_wait_seconds,
           r.contention::double precision as contention,
           array(select jsonb_build_object('thread_id', thread_id, 'run_id', g.run_id, 'state', state, 'amount', amount, 'priority', g.priority,
                                           'seconds', extract(epoch from now() - since))
                   from valid_grants g join runs on runs.run_id = g.run_id
                  where resource = r.name and state <> 'deadlocked'
                  order by state desc, since limit ${mostHolders}) as holders
      from resources r
      join resource_room((select array_agg(name) from resources)) room on room.name = r.name
      left join (select resource, sum(amount) filter (where state = 'held') as held, count(*) filter (where state = 'waiting') as waiting,
                        min(since) filter (where state = 'waiting') as oldest
                   from valid_grants group by resource) used on used.resource = r.name
     where ${which}
     order by r.name`);
  return rows.map(({ perSeconds, ...row }) => ({ ...row, limit: toLimit({ ...row, perSeconds }) }));
}

/**
 * Stores the resources of langgraph.json. A limit that an operator has set stays, unless the file now gives the resource another kind.
 * Resources that are no longer in the file stay too, because older processes may still use them.
 */
export async function ensureResources(db: Db, limits: Record<string, ResourceLimit>): Promise<void> {
  const columns = Object.entries(limits).map(([name, limit]) => ({ name, ...toColumns(limit) }));
  if (columns.length === 0) return;
  await db.query(sql`
    insert into resources as r (name, kind, capacity, per_seconds, tokens, filled_at)
    select name, kind::resource_kind, capacity, per_seconds, case kind when 'rate' then capacity end, case kind when 'rate' then now() end
      from unnest(${columns.map(({ name }) => name)}::text[], ${columns.map(({ kind }) => kind)}::text[],
                  ${columns.map(({ capacity }) => capacity)}::integer[], ${columns.map(({ perSeconds }) => perSeconds)}::integer[])
           as given (name, kind, capacity, per_seconds)
     order by name
        on conflict (name) do update
       set kind = excluded.kind, capacity = excluded.capacity, per_seconds = excluded.per_seconds, overridden = false, ${refilled}
     where (not r.overridden or r.kind <> excluded.kind)
       and (r.kind, r.capacity, r.per_seconds) is distinct from (excluded.kind, excluded.capacity, excluded.per_seconds)`);
}

/**
 * SQL that sets the tokens of a resource with a rate after a change of its limit. The tokens that the resource has now are kept, but not
 * more than the new capacity allows.
 */
const refilled = sql`
  tokens = case excluded.kind when 'rate' then least(excluded.capacity, case r.kind when 'rate' then tokens_now(r) end) end,
  filled_at = case excluded.kind when 'rate' then now() end`;

/**
 * Replaces the limit of a resource, and serves the waiting requests for which enough is free now. Returns false if no resource has this
 * name and this kind. With `overridden: false`, the next start of a service may replace the limit by that of langgraph.json.
 */
export async function setLimit(db: Db, name: string, limit: ResourceLimit, overridden = true): Promise<boolean> {
  const { kind, capacity, perSeconds } = toColumns(limit);
  const { rowCount } = await db.query(sql`
    update resources r
       set capacity = ${capacity}::integer, per_seconds = ${perSeconds}, overridden = ${overridden},
           tokens = case kind when 'rate' then least(${capacity}::integer, tokens_now(r)) end, filled_at = case kind when 'rate' then now() end
     where name = ${name} and kind = ${kind}::resource_kind`);
  if (rowCount === 0) return false;
  await db.query(sql`select serve_resources(array[${name}::text])`);
  return true;
}

/** Deletes a resource, unless a request holds it or waits for it. Returns whether the resource was deleted. */
export async function deleteResource(db: Db, name: string): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    delete from resources where name = ${name} and not exists (select from grants where resource = ${name})`);
  return rowCount !== 0;
}
