import type { ResourceKind } from "./limit.ts";

/** A request in the queue: it holds its resources, it waits for them, or it was refused because of a deadlock. */
export interface Grant {
  holder: string;
  runId: string;
  state: "waiting" | "held" | "deadlocked";
  needs: Record<string, number>;
  priority: number;
  since: string;
  /** The ids of the outer requests whose `work` made this request. The outer requests keep their resources until this request has ended. */
  inside: string[];
}

export interface Room {
  name: string;
  kind: ResourceKind;
  capacity: number;
}

/**
 * How a deadlock is resolved. Either the request with the id `passes` is moved to the front of the queue, or the request with the id
 * `victim` ends with an error.
 */
export type WayOut = { passes: string } | { victim: string };

/**
 * Searches the requests for a deadlock, and returns a way to resolve it. `grants` must be in the order in which requests are served.
 * Returns undefined if there is no deadlock.
 *
 * The function simulates the best possible future. A request that holds its resources ends and frees them, unless its `work` waits for
 * another request. Then the queue is served, and both steps repeat until nothing changes. The requests that still wait are deadlocked,
 * because they wait for each other. Searching for a circle of waiting requests would not be enough. A resource can have many units, so a
 * request in such a circle may still get free ones.
 *
 * Only a deadlocked request that was made inside the `work` of another one can be chosen. If enough units are free for it, but are reserved
 * for earlier requests, it passes these requests. Otherwise, the victim is a request whose end lets others continue. If there are several,
 * it is the youngest of those with the lowest priority.
 */
export function findWayOut(grants: Grant[], rooms: Room[]): WayOut | undefined {
  const { stuck, free } = play(grants, rooms);
  const holders = new Set(grants.map(({ holder }) => holder));
  const nested = stuck.filter(({ inside }) => inside.some((outer) => holders.has(outer)));
  if (nested.length === 0) return undefined;
  const passing = nested.find(({ needs }) => fits(needs, free));
  if (passing) return { passes: passing.holder };
  const candidates = nested.toSorted((a, b) => a.priority - b.priority || Date.parse(b.since) - Date.parse(a.since));
  const helps = ({ holder }: Grant) => play(without(grants, holder), rooms).stuck.length < stuck.length - 1;
  const victim = candidates.find(helps) ?? candidates[0];
  return victim && { victim: victim.holder };
}

const without = (grants: Grant[], holder: string) => grants.filter((grant) => grant.holder !== holder);

type Amounts = Map<string, number>;

/**
 * Simulates the best possible future. Returns the requests that would wait forever, and for each resource the amount that would be free at
 * the end.
 */
function play(grants: Grant[], rooms: Room[]): { stuck: Grant[]; free: Amounts } {
  const free: Amounts = new Map(rooms.map(({ name, capacity }) => [name, capacity]));
  const pools = new Set(rooms.filter(({ kind }) => kind === "pool").map(({ name }) => name));
  const change = (needs: Grant["needs"], sign: 1 | -1) => {
    for (const [name, amount] of Object.entries(needs)) if (pools.has(name)) free.set(name, (free.get(name) ?? 0) + sign * amount);
  };
  let holding = grants.filter(({ state }) => state === "held");
  for (const { needs } of holding) change(needs, -1);
  let stuck = grants.filter(({ state, needs }) => state === "waiting" && isPossible(needs, rooms));
  for (;;) {
    const blocked = new Set(stuck.flatMap(({ inside }) => inside));
    const ended = holding.filter(({ holder }) => !blocked.has(holder));
    for (const { needs } of ended) change(needs, 1);
    holding = holding.filter(({ holder }) => blocked.has(holder));
    const served = servedNow(stuck, free);
    if (ended.length === 0 && served.size === 0) return { stuck, free };
    stuck = stuck.filter((grant) => !served.has(grant)); // here, a request ends as soon as it is served, so it takes nothing from `free`
  }
}

/**
 * Returns the waiting requests that can be served with the free amounts. The amounts that earlier requests in the queue need are subtracted
 * first, even if these requests cannot be served yet.
 */
function servedNow(waiting: Grant[], free: Amounts): Set<Grant> {
  const left: Amounts = new Map(free);
  const served = waiting.filter(({ needs }) => {
    const isServed = fits(needs, left);
    for (const [name, amount] of Object.entries(needs)) left.set(name, (left.get(name) ?? 0) - amount);
    return isServed;
  });
  return new Set(served);
}

const fits = (needs: Grant["needs"], free: Amounts) => Object.entries(needs).every(([name, amount]) => amount <= (free.get(name) ?? 0));

const isPossible = (needs: Grant["needs"], rooms: Room[]) =>
  Object.entries(needs).every(([name, amount]) => rooms.some((room) => room.name === name && amount <= room.capacity));
