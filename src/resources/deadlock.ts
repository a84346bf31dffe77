import type { ResourceKind } from "./limit.ts";

/** A request that counts: it holds its resources, it waits for them, or it has been refused because of a deadlock. */
export interface Grant {
  holder: string;
  runId: string;
  state: "waiting" | "held" | "deadlocked";
  needs: Record<string, number>;
  priority: number;
  since: string;
  /** The requests inside which this one was made. They hold what they have until this one has ended. */
  inside: string[];
}

export interface Room {
  name: string;
  kind: ResourceKind;
  capacity: number;
}

/** The way out of a deadlock: `passes` is served before all others, or `victim` gets an error. */
export type WayOut = { passes: string } | { victim: string };

/**
 * Finds a deadlock among the requests, and the way out of it. `grants` are in the order in which they are served.
 *
 * The function plays the best possible future: nodes that wait for nothing end and free what they hold, and the queue is served with it,
 * again and again. Requests that are still waiting in the end are deadlocked, because they wait for each other. This also holds for
 * resources with many units, in which a cycle of waits alone proves nothing.
 *
 * A request may be stuck only because it comes after one that waits for it. Such a request passes. Otherwise, the youngest request of the
 * lowest priority is the victim. Only a request whose end lets others go on is chosen.
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

/** Lets everything end that can end. Returns the requests that wait forever, and what is then free. */
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
    stuck = stuck.filter((grant) => !served.has(grant)); // they end at once, so they take nothing
  }
}

/** Returns the requests that are served with what is free. The amounts of earlier requests are kept for them. */
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
