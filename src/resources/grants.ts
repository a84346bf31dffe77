import type { Fence } from "../db/fence.ts";
import { type Db, prepared, sql } from "../db/sql.ts";
import type { Grant, Room } from "./deadlock.ts";

/** A request for several resources, which gets all of them or none. */
export interface ResourceRequest extends Fence {
  /** The id of the request. A grant with this id holds the resources. */
  holder: string;
  /** The name and the amount of each needed resource. */
  needs: [name: string, amount: number][];
  /** The priority of the request, from 1 to 5. Requests with a higher number are served first. */
  priority: number;
  /** The number of seconds that the request may wait. With 0, it does not wait at all. */
  waitSeconds: number;
  /** The ids of the attempt's requests whose `work` made this request, from the outermost to the innermost. */
  inside: string[];
}

/**
 * The outcome of a new request:
 * - held: the request holds its resources.
 * - waiting: the request waits for its resources.
 * - busy: the resources are not free, and the request may not wait.
 * - impossible: the request can never be served.
 * - lost: the attempt has lost the right to write.
 */
export type Taken = "held" | "waiting" | "busy" | "impossible" | "lost";

/** Makes a request for resources, and serves it immediately if its resources are free. */
export async function takeResources(db: Db, request: ResourceRequest): Promise<Taken> {
  const { holder, runId, attempt, needs, priority, waitSeconds, inside } = request;
  const [names, amounts] = [needs.map(([name]) => name), needs.map(([, amount]) => amount)];
  const statement = sql`
    select take_resources(${holder}::uuid, ${runId}::uuid, ${attempt}::integer, ${names}::text[], ${amounts}::integer[], ${priority}::integer,
                          ${waitSeconds}::double precision, ${inside}::uuid[]) as taken`;
  const { rows } = await db.query<{ taken: Taken }>(prepared("take resources", statement));
  return rows[0]?.taken ?? "lost";
}

/**
 * Ends a request, and serves other requests with the resources that it frees. With `onlyWaiting`, keeps a request that already holds its
 * resources. Returns whether the request was ended, and how many other requests were served.
 */
export async function leaveResources(db: Db, holder: string, onlyWaiting: boolean): Promise<{ ended: boolean; served: number }> {
  const { rows } = await db.query<{ ended: boolean; served: number }>(
    prepared("leave resources", sql`select ended, served from leave_resources(${holder}::uuid, ${onlyWaiting}::boolean)`),
  );
  return rows[0] ?? { ended: false, served: 0 };
}

/**
 * The news about a waiting request:
 * - held: the request was served and holds its resources.
 * - deadlocked: the request is the victim of a deadlock.
 * - impossible: the capacity of a resource has become too small for the request.
 * - gone: the request was deleted.
 */
export type WaitingNews = "held" | "deadlocked" | "impossible" | "gone";

/** Returns the news about each of these requests, or undefined for a request that still waits. */
export async function readWaiting(db: Db, holders: string[]): Promise<(WaitingNews | undefined)[]> {
  const { rows } = await db.query<{ news: WaitingNews | null }>(sql`
    select case when count(g.holder) = 0 then 'gone'
                when bool_or(g.state <> 'waiting') then min(g.state)::text
                when bool_or(g.amount > r.capacity) then 'impossible' end as news
      from unnest(${holders}::uuid[]) with ordinality as asked (holder, place)
      left join grants g on g.holder = asked.holder
      left join resources r on r.name = g.resource
     group by asked.place order by asked.place`);
  return rows.map(({ news }) => news ?? undefined);
}

/** Returns the names of the resources whose free units are not enough for a waiting request. */
export async function readShortages(db: Db, holder: string): Promise<string[]> {
  const { rows } = await db.query<{ resource: string }>(sql`
    select resource from resource_queue((select array_agg(resource) from grants where holder = ${holder}))
     where holder = ${holder} and needed > free order by resource`);
  return rows.map(({ resource }) => resource);
}

/**
 * The number of all requests (`all`), of those that wait (`waiting`), and of those waiting requests that the `work` of another request has
 * made (`nested`).
 */
export interface GrantCounts {
  all: number;
  waiting: number;
  nested: number;
}

export async function countGrants(db: Db): Promise<GrantCounts> {
  const { rows } = await db.query<GrantCounts>(sql`
    select count(*)::integer as all, count(*) filter (where state = 'waiting')::integer as waiting,
           count(*) filter (where state = 'waiting' and inside <> '{}')::integer as nested
      from grants`);
  return rows[0] ?? { all: 0, waiting: 0, nested: 0 };
}

/**
 * Deletes requests that are no longer valid: those whose attempt is no longer running, and those that have waited longer than they may.
 * Skips locked rows, so that two processes that do this at the same time do not wait for each other.
 */
export async function dropDeadGrants(db: Db): Promise<void> {
  await db.query(sql`
    with dead as (
      select holder, resource from grants g
       where (select status = 'running' and attempt = g.attempt from runs where runs.run_id = g.run_id) is not true
          or (state <> 'held' and until < now() - interval '1 minute')
         for update skip locked)
    delete from grants using dead where grants.holder = dead.holder and grants.resource = dead.resource`);
}

/** Serves all requests that can be served now, and returns the number of served requests. */
export async function serveWaiting(db: Db): Promise<number> {
  const { rows } = await db.query<{ served: number | null }>(sql`
    select serve_resources((select array_agg(distinct resource) from grants where state = 'waiting')) as served`);
  return rows[0]?.served ?? 0;
}

/** Returns all valid requests, in the order in which they are served, and all resources. */
export async function readGrants(db: Db): Promise<{ grants: Grant[]; rooms: Room[] }> {
  const { rows } = await db.query<{ grants: Grant[]; rooms: Room[] }>(sql`
    select (select coalesce(json_agg(json_build_object('holder', holder, 'runId', run_id, 'state', state, 'needs', needs, 'priority', priority,
                                                       'inside', inside, 'since', since)
                                     order by passes desc, since - make_interval(mins => priority), holder), '[]')
              from (select holder, run_id, min(state) as state, json_object_agg(resource, amount) as needs, min(priority) as priority,
                           min(inside) as inside, min(since) as since, bool_or(passes) as passes
                      from valid_grants group by holder, run_id) one) as grants,
           (select coalesce(json_agg(json_build_object('name', name, 'kind', kind, 'capacity', capacity)), '[]') from resources) as rooms`);
  return rows[0] ?? { grants: [], rooms: [] };
}

/** Ends a request's wait with an error. Returns false if the request no longer waits. */
export async function refuseDeadlocked(db: Db, holder: string): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    with ${lockedFor(holder)}
    update grants set state = 'deadlocked' where holder = ${holder} and state = 'waiting' and (select count(*) from locked) > 0`);
  return rowCount !== 0;
}

/** Moves a waiting request to the front of the queue. */
export async function letPass(db: Db, holder: string): Promise<void> {
  await db.query(sql`
    with ${lockedFor(holder)}
    update grants set passes = true where holder = ${holder} and state = 'waiting' and (select count(*) from locked) > 0`);
}

/** Locks the resources that a request needs. Every function that changes the request takes these locks first. */
const lockedFor = (holder: string) => sql`
  locked as (
    select name from resources where name in (select resource from grants where holder = ${holder}) order by name for no key update)`;
