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
 * The way out of a deadlock. The request with the id `passes` is served before all others. The request with the id `victim` gets an error.
 */
export type WayOut = { passes: string } | { victim: string };

/**
 * Finds a deadlock among the requests, and the way out of it. `grants` are in the order in which they are served. Returns undefined if
 * there is no deadlock.
 *
 * The function simulates the best possible future. A request that holds its resources ends and frees them, unless its `work` has made
 * another request that still waits. The queue is then served, and both steps repeat until nothing changes. Requests that still wait are
 * deadlocked, because they wait for each other. This method also works for resources with many units, in which a cycle of waits alone
 * proves nothing.
 *
 * Only a deadlocked request that the `work` of another request has made can pass or be the victim. If enough is free for this request, but
 * is set aside for earlier requests, the request passes. Otherwise, the victim is a request whose end lets others continue, by preference
 * the youngest of the lowest priority.
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

/** Simulates the best possible future. Returns the requests that would wait forever, and the amounts that would then be free. */
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
    stuck = stuck.filter((grant) => !served.has(grant)); // here, a served request ends immediately, so it takes nothing from `free`
  }
}

/**
 * Returns the waiting requests that the free amounts serve. Amounts for earlier requests are set aside, even if these requests still wait.
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
