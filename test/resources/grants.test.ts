import pg from "pg";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { ensureSystemAssistants } from "../../src/assistants/assistants.ts";
import { newId } from "../../src/db/ids.ts";
import {
  countGrants,
  dropDeadGrants,
  leaveResources,
  type ResourceRequest,
  readShortages,
  readWaiting,
  serveWaiting,
  takeResources,
} from "../../src/resources/grants.ts";
import type { ResourceLimit } from "../../src/resources/limit.ts";
import { deleteResource, ensureResources, findResource, listResources, setLimit } from "../../src/resources/resources.ts";
import { releaseRun } from "../../src/runs/claim.ts";
import { takeOver } from "../../src/runs/workers.ts";
import { createDatabase } from "../database.ts";
import { startRun as startRunningRun } from "./running-run.ts";

const db = new pg.Pool({ connectionString: await createDatabase(), max: 25 });
afterAll(() => db.end());
await ensureSystemAssistants(db, [{ graph_id: "g", name: "g", description: undefined, config: {}, context: {} }]);

beforeEach(async () => {
  await db.query("delete from grants");
  await db.query("delete from resources");
});

/** Creates a running run, and returns it as one that can take resources. */
async function startRun() {
  const run = await startRunningRun(db);
  const { runId } = run;
  const take = async (needs: Record<string, number>, more: Partial<ResourceRequest> = {}) => {
    const holder = newId();
    const request = { holder, runId, attempt: 1, needs: Object.entries(needs), priority: 3, waitSeconds: 60, inside: [], ...more };
    const taken = await takeResources(db, request);
    return { holder, taken, leave: () => leaveResources(db, holder, false), news: async () => (await readWaiting(db, [holder]))[0] };
  };
  return { ...run, take };
}

const ensure = (limits: Record<string, ResourceLimit>) => ensureResources(db, limits);
/** Stops the refill of a rate, so that a slow machine does not change what the test sees. */
const freeze = (name: string) => db.query("update resources set filled_at = now() + interval '1 day' where name = $1", [name]);
const age = (holder: string, minutes: number) =>
  db.query("update grants set since = since - make_interval(mins => $2), until = until + interval '1 hour' where holder = $1", [
    holder,
    minutes,
  ]);

test("a pool is given out up to its capacity, and the next request waits until units are free", async () => {
  await ensure({ db: { pool: 3 } });
  const { take } = await startRun();
  const first = await take({ db: 2 });
  const second = await take({ db: 2 });
  expect([first.taken, second.taken]).toEqual(["held", "waiting"]);
  expect(await findResource(db, "db")).toMatchObject({ held: 2, free: 1, waiting: 1, contention: 1 });
  expect(await first.leave()).toEqual({ ended: true, served: 1 });
  expect(await second.news()).toBe("held");
  expect(await findResource(db, "db")).toMatchObject({ held: 2, free: 1, waiting: 0 });
});

test("a request that cannot have all of its resources holds none of them", async () => {
  await ensure({ a: { pool: 1 }, b: { pool: 1 }, c: { pool: 1 } });
  const { take } = await startRun();
  await take({ b: 1 });
  const whole = await take({ c: 1, a: 1, b: 1 });
  expect(whole.taken).toBe("waiting");
  expect(await readShortages(db, whole.holder)).toEqual(["b"]);
  expect((await listResources(db)).map(({ held, contention }) => [held, contention])).toEqual([
    [0, 0],
    [1, 1],
    [0, 0],
  ]);
});

test("waiting requests are served by priority, then by age", async () => {
  await ensure({ db: { pool: 1 } });
  const { take } = await startRun();
  let current = await take({ db: 1 });
  const [low, high, later] = [
    await take({ db: 1 }, { priority: 1 }),
    await take({ db: 1 }, { priority: 5 }),
    await take({ db: 1 }, { priority: 5 }),
  ];
  for (const next of [high, later, low]) {
    await current.leave();
    expect([next.holder, await next.news()]).toEqual([next.holder, "held"]);
    current = next;
  }
});

test("a request of low priority that has waited for 20 minutes is served before a new one of high priority", async () => {
  await ensure({ db: { pool: 1 } });
  const { take } = await startRun();
  const holding = await take({ db: 1 });
  const old = await take({ db: 1 }, { priority: 1 });
  await age(old.holder, 20);
  const young = await take({ db: 1 }, { priority: 5 });
  await holding.leave();
  expect([await old.news(), await young.news()]).toEqual(["held", undefined]);
});

test("small requests do not overtake a large one for ever", async () => {
  await ensure({ db: { pool: 4 }, other: { pool: 1 } });
  const { take } = await startRun();
  const one = await take({ db: 1 });
  const large = await take({ db: 4 });
  const small = await take({ db: 1 });
  expect([large.taken, small.taken]).toEqual(["waiting", "waiting"]);
  expect((await take({ other: 1 })).taken).toBe("held"); // other resources are not affected
  await one.leave();
  expect([await large.news(), await small.news()]).toEqual(["held", undefined]);
});

test("the 1,001st call in a minute of a rate of 1000/m waits, and is served when a token has refilled", async () => {
  await ensure({ openai: { rate: "1000/m" } });
  await freeze("openai");
  const { take } = await startRun();
  const taken = await Promise.all(Array.from({ length: 1_000 }, async () => (await take({ openai: 1 })).taken));
  expect(new Set(taken)).toEqual(new Set(["held"]));
  const last = await take({ openai: 1 });
  expect(last.taken).toBe("waiting");
  expect(await serveWaiting(db)).toBe(0);
  await db.query("update resources set filled_at = now() - interval '0.07 seconds'");
  expect(await serveWaiting(db)).toBe(1);
  expect(await last.news()).toBe("held");
});

test("a call that ends does not give its tokens back, and a rate never refills above its capacity", async () => {
  await ensure({ openai: { rate: "10/m" } });
  await freeze("openai");
  const { take } = await startRun();
  await (await take({ openai: 6 })).leave();
  expect(await findResource(db, "openai")).toMatchObject({ free: 4, held: 0 });
  await db.query("update resources set filled_at = now() - interval '1 hour'");
  expect(await findResource(db, "openai")).toMatchObject({ free: 10 });
});

test("a request that may not wait is refused at once and leaves nothing", async () => {
  await ensure({ db: { pool: 1 } });
  const { take } = await startRun();
  await take({ db: 1 });
  expect((await take({ db: 1 }, { waitSeconds: 0 })).taken).toBe("busy");
  expect(await countGrants(db)).toEqual({ all: 1, waiting: 0, nested: 0 });
});

test("unknown resources, more than the capacity, and attempts without the right to write are refused", async () => {
  await ensure({ db: { pool: 1 } });
  const { take } = await startRun();
  expect((await take({ db: 1, other: 1 })).taken).toBe("impossible");
  expect((await take({ db: 2 })).taken).toBe("impossible");
  expect((await take({ db: 1 }, { attempt: 2 })).taken).toBe("lost");
  expect(await countGrants(db)).toMatchObject({ all: 0 });
});

test.each([
  ["releases the run", (run: Awaited<ReturnType<typeof startRun>>) => releaseRun(db, { runId: run.runId, attempt: 1 })],
  ["takes the run over", (run: Awaited<ReturnType<typeof startRun>>) => takeOver(db, [run.workerId], true)],
  ["ends the run as an earlier release does", ({ runId }: { runId: string }) => endAsBefore(runId)],
  ["deletes the run", ({ runId }: { runId: string }) => db.query("delete from runs where run_id = $1", [runId])],
])("what a run holds is free as soon as a process %s", async (_, end) => {
  await ensure({ db: { pool: 1 } });
  const run = await startRun();
  await run.take({ db: 1 });
  const other = await (await startRun()).take({ db: 1 });
  expect(other.taken).toBe("waiting");
  await end(run);
  expect(await findResource(db, "db")).toMatchObject({ held: 0, free: 1 });
  expect(await serveWaiting(db)).toBe(1);
  await dropDeadGrants(db);
  expect(await countGrants(db)).toMatchObject({ all: 1 });
});

const endAsBefore = (runId: string) =>
  db.query("update runs set status = 'success', worker_id = null, ended_at = now() where run_id = $1", [runId]);

test("a request that gives up in the moment in which it is served keeps what it got", async () => {
  await ensure({ db: { pool: 1 } });
  const { take } = await startRun();
  const first = await take({ db: 1 });
  const second = await take({ db: 1 });
  await first.leave();
  expect(await leaveResources(db, second.holder, true)).toEqual({ ended: false, served: 0 });
  expect(await second.news()).toBe("held");
});

test("a request that gives up no longer holds others back", async () => {
  await ensure({ db: { pool: 2 } });
  const { take } = await startRun();
  await take({ db: 1 });
  const [large, small] = [await take({ db: 2 }), await take({ db: 1 })];
  expect(await leaveResources(db, large.holder, true)).toEqual({ ended: true, served: 1 });
  expect(await small.news()).toBe("held");
});

test("a new limit is obeyed at once: a larger one serves those who wait, a smaller one takes nothing away", async () => {
  await ensure({ db: { pool: 1 } });
  const { take } = await startRun();
  await take({ db: 1 });
  const [two, three] = [await take({ db: 2 }).then(({ taken }) => taken), await take({ db: 1 })];
  expect(two).toBe("impossible");
  expect(await setLimit(db, "db", { pool: 2 })).toBe(true);
  expect(await three.news()).toBe("held");
  await setLimit(db, "db", { pool: 1 });
  expect(await findResource(db, "db")).toMatchObject({ limit: { pool: 1 }, overridden: true, held: 2, free: -1 });
  expect((await take({ db: 1 })).taken).toBe("waiting");
});

test("a request that no longer fits into the capacity holds nobody back, and learns it", async () => {
  await ensure({ db: { pool: 2 } });
  const { take } = await startRun();
  const holding = await take({ db: 1 });
  const [large, small] = [await take({ db: 2 }), await take({ db: 1 })];
  await setLimit(db, "db", { pool: 1 });
  expect(await large.news()).toBe("impossible");
  await holding.leave();
  expect(await small.news()).toBe("held");
});

test("a new rate keeps the tokens that there are, up to the new capacity", async () => {
  await ensure({ openai: { rate: "100/d" } });
  const { take } = await startRun();
  await take({ openai: 30 });
  await setLimit(db, "openai", { rate: "1000/d" });
  expect(await findResource(db, "openai")).toMatchObject({ free: 70, limit: { rate: "1000/d" } });
  await setLimit(db, "openai", { rate: "50/d" });
  expect(await findResource(db, "openai")).toMatchObject({ free: 50 });
});

test("the limits of the project file are stored, and those that an operator has set stay", async () => {
  await ensure({ db: { pool: 1 }, openai: { rate: "1000/m" } });
  await setLimit(db, "db", { pool: 5 });
  await ensure({ db: { pool: 2 }, openai: { rate: "10/s" } });
  expect(await listResources(db)).toMatchObject([
    { name: "db", limit: { pool: 5 }, overridden: true },
    { name: "openai", limit: { rate: "10/s" }, overridden: false },
  ]);
  await ensure({ db: { rate: "7/h" }, openai: { pool: 3 } }); // another kind replaces what an operator has set
  expect(await listResources(db)).toMatchObject([
    { name: "db", limit: { rate: "7/h" }, free: 7, overridden: false },
    { name: "openai", limit: { pool: 3 }, free: 3 },
  ]);
});

test("a limit of another kind is not set, and a resource in use is not deleted", async () => {
  await ensure({ db: { pool: 1 } });
  const holding = await (await startRun()).take({ db: 1 });
  expect(await setLimit(db, "db", { rate: "1/s" })).toBe(false);
  expect(await setLimit(db, "other", { pool: 1 })).toBe(false);
  expect(await deleteResource(db, "db")).toBe(false);
  await holding.leave();
  expect(await deleteResource(db, "db")).toBe(true);
});

test("twenty connections that take and leave several resources at once never exceed a pool, and nobody is forgotten", async () => {
  await ensure({ a: { pool: 5 }, b: { pool: 3 }, c: { rate: "1000/s" } });
  const runs = await Promise.all(Array.from({ length: 20 }, startRun));
  const used: Record<string, number> = { a: 0, b: 0, c: 0 };
  const most: Record<string, number> = { a: 0, b: 0, c: 0 };
  const change = (needs: Record<string, number>, sign: number) => {
    for (const [name, amount] of Object.entries(needs)) {
      used[name] = (used[name] ?? 0) + sign * amount;
      most[name] = Math.max(most[name] ?? 0, used[name] ?? 0);
    }
  };
  const kinds = [{ a: 2, b: 1 }, { b: 2, a: 1 }, { a: 5 }, { b: 3, c: 1 }, { c: 1, a: 1 }] as unknown as Record<string, number>[];
  await Promise.all(
    runs.map(async ({ take }, place) => {
      for (let round = 0; round < 5; round++) {
        const needs = kinds[(place + round) % kinds.length] ?? {};
        const { taken, news, leave } = await take(needs);
        if (taken === "waiting") await vi.waitUntil(async () => (await news()) === "held", { timeout: 60_000, interval: 20 });
        change(needs, 1);
        await new Promise((resolve) => setTimeout(resolve, 1));
        change(needs, -1);
        await leave();
      }
    }),
  );
  expect(most).toMatchObject({ a: expect.toSatisfy((units) => units <= 5), b: expect.toSatisfy((units) => units <= 3) });
  expect(await countGrants(db)).toMatchObject({ all: 0 });
});

test.each([
  ["is served if it can have both", false, { ended: true, served: 1 }, "held"],
  ["is not served by half", true, { ended: true, served: 0 }, undefined],
])("a request for two resources that arrives while another process decides about one of them %s", async (_, isOtherUsed, outcome, news) => {
  await ensure({ a: { pool: 1 }, b: { pool: 1 } });
  const run = await startRun();
  const first = await run.take({ a: 1 });
  if (isOtherUsed) await run.take({ b: 1 });
  const arriving = await db.connect();
  await arriving.query("begin");
  const request = {
    holder: newId(),
    runId: run.runId,
    attempt: 1,
    needs: [
      ["a", 1],
      ["b", 1],
    ] as [string, number][],
  };
  expect(await takeResources(arriving, { ...request, priority: 3, waitSeconds: 60, inside: [] })).toBe("waiting");
  const leaving = first.leave(); // does not see the new request yet, and waits for the lock of a
  const isBlocked = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  while ((await db.query(isBlocked)).rowCount === 0);
  await arriving.query("commit");
  arriving.release();
  expect(await leaving).toEqual(outcome);
  expect(await readWaiting(db, [request.holder])).toEqual([news]);
  expect(await findResource(db, "b")).toMatchObject({ held: 1, free: 0 });
});

test("a transaction that hangs with a resource's lock delays only requests for that resource", async () => {
  await ensure({ stuck: { pool: 1 }, other: { pool: 1 } });
  const { take } = await startRun();
  const hung = await db.connect();
  await hung.query("begin");
  await hung.query("select from resources where name = 'stuck' for update");
  const delayed = take({ stuck: 1 });
  expect((await take({ other: 1 })).taken).toBe("held");
  await hung.query("rollback");
  hung.release();
  expect((await delayed).taken).toBe("held");
});
