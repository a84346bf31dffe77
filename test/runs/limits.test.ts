import { randomUUID } from "node:crypto";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { type Claimed, claimRuns, releaseRun } from "../../src/runs/claim.ts";
import { endRun } from "../../src/runs/end.ts";
import { sweepSlots, unpark } from "../../src/runs/limit-slots.ts";
import { takeOver } from "../../src/runs/workers.ts";
import { startTestService } from "../service.ts";

const { client, fetch, db } = await startTestService({
  ENSEMBLE_ROLE: "api",
  ENSEMBLE_CONFIG: new URL("../graphs/queues.json", import.meta.url).pathname,
});
const workerId = randomUUID();

const announce = (id: string, key: number) =>
  db.query("insert into workers (worker_id, lock_key, host, pid) values ($1, $2, 'here', 1) on conflict do nothing", [id, key]);

beforeAll(async () => void (await announce(workerId, 1)));
beforeEach(async () => {
  await db.query("delete from threads");
  await db.query("delete from queue_keys");
  await db.query("delete from limits");
});

const send = (method: string, path: string, body?: object) =>
  fetch(path, { method, ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }) });
const limit = async (name: string, values: object) => {
  const response = await send("PUT", `/limits/${name}`, values);
  expect(response.status).toBe(200);
  return response.json();
};
const bodyOf = (tenant: string | undefined, graph: string) => ({ assistant_id: graph, input: {}, metadata: { ...(tenant && { tenant }) } });

async function create(amount: number, tenant?: string, graph = "steps"): Promise<void> {
  const response = await send(
    "POST",
    "/runs/batch",
    Array.from({ length: amount }, () => bodyOf(tenant, graph)),
  );
  expect(response.status).toBe(200);
}

const graphs = ["steps", "slow"];
const claim = (slots: number, by = workerId): Promise<Claimed> =>
  claimRuns(db, by, { graphs, slots, suspects: 1, maxCrashes: 3, isLimited: true });

/** Claims until nothing is left to claim, as a worker does. */
async function claimAll(slots = 10): Promise<Claimed["claims"]> {
  const all: Claimed["claims"] = [];
  for (;;) {
    const { claims, parked, contended } = await claim(slots);
    all.push(...claims);
    if (claims.length === 0 && parked === 0 && !contended) return all;
  }
}
const end = (one: Claimed["claims"][number]) =>
  endRun(db, { ...one, end: { status: "success", output: null, error: null, thread: { status: "idle" } } });
const running = async () => (await db.query("select count(*)::integer as n from runs where status = 'running'")).rows[0].n;

/** Returns the limits whose stored numbers differ from the runs that hold their slots. */
async function leaks(): Promise<object[]> {
  const { rows } = await db.query(`
    select name, key, running, actual from limit_slots s, lateral (
      select count(*)::integer as actual from runs where status = 'running' and s.name = any(holds) and (s.key = '' or queue_key = s.key)) a
     where running <> actual`);
  return rows;
}

test("a total is not exceeded, and each end lets the next run start", async () => {
  await limit("steps", { total: 3 });
  await create(10);
  const first = await claimAll();
  expect(first).toHaveLength(3);
  expect(first[0]?.holds).toEqual(["steps"]);
  for (const one of first.slice(0, 2)) await end(one);
  expect(await claimAll()).toHaveLength(2);
  expect(await leaks()).toEqual([]);
});

test("a limit for each key holds up only that key, even behind a long queue of it", async () => {
  await limit("steps", { per_key: 2 });
  await create(300, "large");
  await create(3, "small");
  await create(1);
  const claims = await claimAll(50);
  const count = (tenant: string | undefined) => claims.filter(({ metadata }) => metadata.tenant === tenant).length;
  expect([count("large"), count("small"), count(undefined)]).toEqual([2, 2, 1]);
  const [large] = claims.filter(({ metadata }) => metadata.tenant === "large");
  await end(large as never);
  const next = await claimAll();
  expect(next.map(({ metadata }) => metadata.tenant)).toEqual(["large"]);
  expect(await leaks()).toEqual([]);
});

test("a shared limit counts the runs of several graphs", async () => {
  await limit("openai", { graphs: ["steps", "slow"], total: 4 });
  await create(5);
  await create(5, undefined, "slow");
  const claims = await claimAll();
  expect(claims).toHaveLength(4);
  expect(claims.every(({ holds }) => holds?.[0] === "openai")).toBe(true);
});

test("a run that two limits count needs room in both", async () => {
  await limit("steps", { total: 5 });
  await limit("openai", { graphs: ["steps", "slow"], total: 2 });
  await create(5);
  expect((await claimAll()).map(({ holds }) => holds)).toEqual([
    ["openai", "steps"],
    ["openai", "steps"],
  ]);
});

test("eight workers that claim at once never exceed the total or the limit of a key", async () => {
  await limit("steps", { total: 7, per_key: 3 });
  for (const tenant of ["a", "b", "c", "d"]) await create(20, tenant);
  const workers = Array.from({ length: 8 }, () => randomUUID());
  for (const [index, id] of workers.entries()) await announce(id, 10 + index);
  let most = 0;
  await Promise.all(
    workers.map(async (id) => {
      for (let round = 0; round < 30; round++) {
        const { claims } = await claim(3, id);
        most = Math.max(most, await running());
        for (const one of claims) await end(one);
      }
    }),
  );
  expect(most).toBeLessThanOrEqual(7);
  const { rows } = await db.query("select count(*)::integer as n from runs where status = 'success'");
  expect(rows[0].n).toBe(80);
  expect(await leaks()).toEqual([]);
});

test("a rate lets only so many runs start, and refills with time", async () => {
  await limit("steps", { rate: "5/m" });
  await create(12);
  const first = await claimAll();
  expect(first).toHaveLength(5);
  for (const one of first) await end(one);
  expect(await claimAll()).toHaveLength(0);
  await db.query("update limit_slots set refilled_at = refilled_at - interval '24 seconds'");
  expect(await claimAll()).toHaveLength(2);
});

test("a limit is changed at run time, pauses its graph, and is reset", async () => {
  await limit("steps", { total: 0 });
  await create(3);
  await create(1, undefined, "slow");
  expect((await claimAll()).map(({ holds }) => holds)).toEqual([null]); // other graphs go on
  await limit("steps", { total: 1 });
  expect(await claimAll()).toHaveLength(1);
  expect((await send("DELETE", "/limits/steps")).status).toBe(204);
  expect(await claimAll()).toHaveLength(2);
  expect((await send("DELETE", "/limits/steps")).status).toBe(404);
});

test("a total that is set while runs are running counts them, and raising a limit lets parked runs go on", async () => {
  await limit("steps", { per_key: 2 });
  await create(10, "a");
  const first = await claimAll();
  await limit("steps", { per_key: 2, total: 1 });
  expect((await (await fetch("/limits/steps")).json()).running).toBe(2);
  expect(await leaks()).toEqual([]);
  for (const one of first) await end(one);
  expect(await claimAll()).toHaveLength(1);
  await limit("steps", { per_key: 5 });
  expect(await claimAll()).toHaveLength(4);
  await limit("steps", { total: 100 });
  expect(await claimAll()).toHaveLength(3); // without a limit for each key nothing stays parked
  expect(await leaks()).toEqual([]);
});

test("a release, a takeover, a deletion and a rollback give the slots back", async () => {
  await limit("steps", { total: 4, per_key: 4 });
  await create(4, "a");
  const [one, two, three] = await claimAll();
  await releaseRun(db, one as never);
  await db.query("delete from threads where thread_id = $1", [two?.threadId]);
  await client.runs.cancel(three?.threadId ?? "", three?.runId ?? "", false, "rollback");
  await db.query("delete from runs where run_id = $1", [three?.runId]);
  expect(await leaks()).toEqual([]);
  const dead = randomUUID();
  await announce(dead, 99);
  await create(3, "b");
  await claim(2, dead);
  await takeOver(db, [dead], true);
  expect(await leaks()).toEqual([]);
  expect((await claimAll()).length).toBeGreaterThan(0);
});

test("a limit in shadow refuses nothing and counts what it would have refused", async () => {
  await limit("steps", { total: 2, shadow: true });
  await create(5);
  expect(await claimAll()).toHaveLength(5);
  expect((await (await fetch("/limits/steps")).json()).refused).toBe(3);
});

test("a key with too many waiting runs gets 429 with Retry-After, and other keys do not", async () => {
  await limit("steps", { max_waiting: 3 });
  await create(3, "a");
  const refused = await send("POST", "/runs", bodyOf("a", "steps"));
  expect(refused.status).toBe(429);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.text()).toContain('The queue of "a" is full: 3 of its runs wait');
  expect((await send("POST", "/runs/batch", [bodyOf("b", "steps"), bodyOf("a", "steps")])).status).toBe(429);
  await create(1, "b");
  expect((await db.query("select from runs")).rowCount).toBe(4);
});

test("the list says what runs and waits, and one limit names its keys", async () => {
  await limit("steps", { per_key: 1, rate: "100/m" });
  await create(3, "a");
  await create(1, "b");
  await claimAll();
  expect(await (await fetch("/limits")).json()).toMatchObject([
    { name: "steps", graphs: ["steps"], per_key: 1, total: null, rate: "100/m", running: 2, waiting: 2, configured: null },
  ]);
  expect((await (await fetch("/limits/steps")).json()).keys).toEqual([
    { key: "a", running: 1, waiting: 2 },
    { key: "b", running: 1, waiting: 0 },
  ]);
  expect((await fetch("/limits/unknown")).status).toBe(404);
});

test("rows of keys that are not used any more are deleted, and the next run of such a key creates its row", async () => {
  await limit("steps", { per_key: 1 });
  await create(1, "a");
  for (const one of await claimAll()) await end(one);
  await db.query("update limit_slots set used_at = now() - interval '2 hours'");
  await sweepSlots(db, 100);
  expect((await db.query("select from limit_slots")).rowCount).toBe(0);
  await create(2, "a");
  expect(await claimAll()).toHaveLength(1);
  expect(await unpark(db, 10)).toBe(0);
});

test("parked runs of a key go on although the row of the key is gone", async () => {
  await limit("steps", { per_key: 0 });
  await create(3, "a");
  expect(await claimAll()).toHaveLength(0);
  await db.query("delete from limit_slots");
  await limit("steps", { per_key: 2 });
  expect(await claimAll()).toHaveLength(2);
  expect(await leaks()).toEqual([]);
});
