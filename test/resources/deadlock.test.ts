import { expect, test } from "vitest";
import { seededRandom } from "../../graphs/skills/random.ts";
import { findWayOut, type Grant, type Room, type WayOut } from "../../src/resources/deadlock.ts";

const pools = (capacities: Record<string, number>): Room[] =>
  Object.entries(capacities).map(([name, capacity]) => ({ name, kind: "pool", capacity }));

/** Returns requests. Their place in the list is their age and their place in the queue. */
const grants = (...given: Partial<Grant>[]): Grant[] =>
  given.map((grant, place) => ({
    holder: `${place}`,
    runId: "run",
    state: "held",
    needs: {},
    priority: 3,
    since: new Date(place * 1_000).toISOString(),
    inside: [],
    ...grant,
  }));
const held = (holder: string, needs: Grant["needs"]): Partial<Grant> => ({ holder, needs });
const waiting = (holder: string, needs: Grant["needs"], inside: string[] = [], more: Partial<Grant> = {}): Partial<Grant> => ({
  ...{ holder, needs, inside, state: "waiting" },
  ...more,
});

const cycle = [held("a", { x: 1 }), held("b", { y: 1 }), waiting("a2", { y: 1 }, ["a"]), waiting("b2", { x: 1 }, ["b"])];

test("requests that wait for running nodes are no deadlock", () => {
  expect(findWayOut(grants(held("a", { x: 1 }), waiting("b", { x: 1 })), pools({ x: 1 }))).toBeUndefined();
  expect(findWayOut(grants(...cycle.slice(0, 3)), pools({ x: 1, y: 1 }))).toBeUndefined();
});

test("the youngest request of a circle is the victim", () => {
  expect(findWayOut(grants(...cycle), pools({ x: 1, y: 1 }))).toEqual({ victim: "b2" });
});

test("a request of a lower priority is the victim, even if it is older", () => {
  const [a, b, a2, b2] = cycle;
  expect(findWayOut(grants(a!, b!, { ...a2, priority: 2 }, b2!), pools({ x: 1, y: 1 }))).toEqual({ victim: "a2" });
});

test("a circle of three is found", () => {
  const three = [held("a", { x: 1 }), held("b", { y: 1 }), held("c", { z: 1 })];
  const waits = [waiting("a2", { y: 1 }, ["a"]), waiting("b2", { z: 1 }, ["b"]), waiting("c2", { x: 1 }, ["c"])];
  expect(findWayOut(grants(...three, ...waits), pools({ x: 1, y: 1, z: 1 }))).toEqual({ victim: "c2" });
});

test("a request that waits for more than its own run leaves is a deadlock with itself", () => {
  expect(findWayOut(grants(held("a", { x: 1 }), waiting("a2", { x: 2 }, ["a"])), pools({ x: 2 }))).toEqual({ victim: "a2" });
});

test("a circle is no deadlock while another node can free enough units", () => {
  const both = [held("a", { x: 1 }), held("b", { x: 1 }), waiting("a2", { x: 1 }, ["a"]), waiting("b2", { x: 1 }, ["b"])];
  expect(findWayOut(grants(...both), pools({ x: 2 }))).toEqual({ victim: "b2" });
  expect(findWayOut(grants(...both, held("c", { x: 1 })), pools({ x: 3 }))).toBeUndefined();
});

test("a rate is never part of a deadlock, because it refills", () => {
  const rooms: Room[] = [{ name: "x", kind: "rate", capacity: 1 }];
  expect(findWayOut(grants(held("a", { x: 1 }), waiting("a2", { x: 1 }, ["a"])), rooms)).toBeUndefined();
});

test("a request that only waits behind a deadlock is not the victim, whatever its priority", () => {
  const behind = [held("c", { z: 1 }), waiting("c2", { x: 1 }, ["c"], { priority: 1 }), waiting("d", { y: 1 }, [], { priority: 1 })];
  expect(findWayOut(grants(...cycle, ...behind), pools({ x: 1, y: 1, z: 1 }))).toEqual({ victim: "b2" });
});

test("a request that waits only for its turn passes, and nobody is a victim", () => {
  const requests = [held("a", { y: 1 }), waiting("both", { x: 1, y: 1 }), waiting("a2", { x: 1 }, ["a"])];
  expect(findWayOut(grants(...requests), pools({ x: 1, y: 1 }))).toEqual({ passes: "a2" });
});

test("a deadlock whose victim has been chosen already gets no second one", () => {
  const [a, b, a2, b2] = cycle;
  expect(findWayOut(grants(a!, b!, a2!, { ...b2, state: "deadlocked" }), pools({ x: 1, y: 1 }))).toBeUndefined();
});

test("a request for more than the capacity is left alone, because it learns that by itself", () => {
  expect(findWayOut(grants(held("a", { x: 1 }), waiting("a2", { x: 5 }, ["a"])), pools({ x: 1 }))).toBeUndefined();
});

/** Lets nodes end in a random order and serves the queue as the database does. Returns whether all requests end. */
function allEnd(given: Grant[], capacities: Record<string, number>, random: () => number): boolean {
  let open = given.map((grant) => ({ ...grant }));
  for (;;) {
    const runnable = open.filter(({ holder, state }) => state !== "waiting" && !open.some(({ inside }) => inside.includes(holder)));
    const left = new Map(Object.entries(capacities));
    const spend = ({ needs }: Grant) => {
      for (const [name, amount] of Object.entries(needs)) left.set(name, (left.get(name) ?? 0) - amount);
    };
    for (const grant of open.filter(({ state }) => state === "held")) spend(grant);
    let served = 0;
    for (const grant of open.filter(({ state }) => state === "waiting")) {
      const isServed = Object.entries(grant.needs).every(([name, amount]) => amount <= (left.get(name) ?? 0));
      spend(grant);
      if (isServed) [grant.state, served] = ["held", served + 1];
    }
    const ending = runnable[Math.floor(random() * runnable.length)];
    if (!ending && served === 0) return open.length === 0;
    open = open.filter((grant) => grant !== ending);
  }
}

const names = ["x", "y", "z"] as const;
type Capacities = Record<(typeof names)[number], number>;

/** Returns up to eight requests. Some of them are made inside others. Those that fit may be held. */
function randomRequests(capacities: Capacities, random: () => number): Grant[] {
  const left = { ...capacities };
  const requests: Partial<Grant>[] = [];
  const isOuter = ({ state, holder }: Partial<Grant>) => !state && !requests.some(({ inside }) => inside?.includes(holder ?? ""));
  for (let place = 0; place < 8; place++) {
    const needs = Object.fromEntries(names.filter(() => random() < 0.5).map((name) => [name, 1 + Math.floor(random() * capacities[name])]));
    const outer = requests.filter(isOuter);
    const { holder = "" } = outer[Math.floor(random() * outer.length * 2)] ?? {};
    const isHeld = names.every((name) => (needs[name] ?? 0) <= left[name]) && random() < 0.6;
    if (isHeld) for (const name of names) left[name] -= needs[name] ?? 0;
    if (isHeld) requests.push({ holder: `${place}`, needs });
    else requests.push({ ...waiting(`${place}`, needs, holder ? [holder] : []), priority: 1 + Math.floor(random() * 5) });
  }
  return grants(...requests.filter(({ needs }) => Object.keys(needs ?? {}).length > 0));
}

/** Returns the situation after the way out was taken. */
function after(situation: Grant[], way: WayOut): Grant[] {
  if ("victim" in way) return situation.filter(({ holder }) => holder !== way.victim);
  return situation.toSorted((a, b) => Number(b.holder === way.passes) - Number(a.holder === way.passes));
}

test("in 2,000 random situations, a way out is named exactly when requests would wait forever, and leads out", () => {
  const random = seededRandom(7);
  const found = { none: 0, victim: 0, passes: 0 };
  for (let round = 0; round < 2_000; round++) {
    const capacities = { x: 1 + Math.floor(random() * 3), y: 1 + Math.floor(random() * 3), z: 1 + Math.floor(random() * 2) };
    let situation = randomRequests(capacities, random);
    for (let way: WayOut | undefined = { passes: "" }; way; ) {
      way = findWayOut(situation, pools(capacities));
      expect({ round, isStuck: !allEnd(situation, capacities, random) }).toEqual({ round, isStuck: way !== undefined });
      found[!way ? "none" : "victim" in way ? "victim" : "passes"]++;
      if (way) situation = after(situation, way);
    }
  }
  expect(Math.min(...Object.values(found))).toBeGreaterThan(20);
});
