import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { until } from "../command.ts";
import { startTestService } from "../service.ts";

const { client, fetch, db } = await startTestService();
const gates = mkdtempSync(join(tmpdir(), "ensemble-gates-"));
afterAll(() => rmSync(gates, { recursive: true }));

/** Every test leaves the resources free. */
afterEach(() => until(async () => (await list()).every(({ held, waiting }) => held === 0 && waiting === 0)));

interface Listed {
  name: string;
  held: number;
  waiting: number;
  contention: number;
  holders: object[];
  limit: { pool?: number; rate?: string };
  overridden: boolean;
}

const list = async () => (await (await fetch("/resources")).json()) as Listed[];
const usage = async (name: string) => (await list()).find((resource) => resource.name === name);
const path = (name: string) => `/resources/${encodeURIComponent(name)}`;
const put = (name: string, limit: unknown) =>
  fetch(path(name), { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(limit) });
const reset = (name: string) => fetch(path(name), { method: "DELETE" });

/** A gate is a file for which the work of a run waits. */
function makeGate() {
  const gate = join(gates, randomUUID());
  return { gate, open: () => writeFileSync(gate, "") };
}

async function start(plan: object) {
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "sharing", { input: { plan } });
  const join = () => client.runs.join(threadId, runId) as Promise<{ done?: boolean; __error__?: { error: string; message: string } }>;
  const isWaiting = async () => (await db.query("select from grants where run_id = $1 and state = 'waiting'", [runId])).rowCount !== 0;
  const holds = async () => (await db.query("select from grants where run_id = $1 and state = 'held'", [runId])).rowCount !== 0;
  return {
    threadId,
    runId,
    join,
    waits: () => until(isWaiting),
    holds: () => until(holds),
    cancel: () => client.runs.cancel(threadId, runId, true),
  };
}
const run = async (plan: object) => (await start(plan)).join();

test("a run waits until another run gives its unit back", async () => {
  const { gate, open } = makeGate();
  const first = await start({ needs: { x: 1 }, gate });
  await first.holds();
  const second = await start({ needs: { x: 1 } });
  await second.waits();
  expect(await usage("x")).toMatchObject({ held: 1, waiting: 1, contention: 1 });
  expect((await usage("x"))?.holders).toEqual([
    { thread_id: first.threadId, run_id: first.runId, state: "held", amount: 1, priority: 3, seconds: expect.any(Number) },
    { thread_id: second.threadId, run_id: second.runId, state: "waiting", amount: 1, priority: 3, seconds: expect.any(Number) },
  ]);
  open();
  expect(await Promise.all([first.join(), second.join()])).toMatchObject([{ done: true }, { done: true }]);
});

test("a request that waits for too long fails with an error that names the resource", async () => {
  const { gate, open } = makeGate();
  const first = await start({ needs: { x: 1 }, gate });
  await first.holds();
  const { __error__: error } = await run({ needs: { x: 1, db: 1 }, options: { waitSeconds: 0.2 } });
  expect(error).toEqual({
    error: "ResourceTimeoutError",
    message: 'The run could not get 1 of "db" and 1 of "x" within 0.2 s. Too little was free of "x".',
  });
  expect((await run({ needs: { x: 1 }, options: { waitSeconds: 0 } })).__error__?.message).toContain('could not get 1 of "x" at once');
  open();
  await first.join();
});

test("work is skipped if its resources are not free and the request does not wait", async () => {
  const { gate, open } = makeGate();
  const first = await start({ needs: { x: 1 }, gate });
  await first.holds();
  expect(await run({ needs: { x: 1 }, options: { skip: true } })).toMatchObject({ done: false });
  open();
  await first.join();
  expect(await run({ needs: { x: 1 }, options: { skip: true } })).toMatchObject({ done: true });
});

test.each([
  [{ x: 0 }, 'The amount of "x" must be a whole number from 1 to 2147483647, but it is 0.'],
  [{ x: -1 }, 'The amount of "x" must be a whole number from 1 to 2147483647, but it is -1.'],
  [{ x: 0.5 }, 'The amount of "x" must be a whole number from 1 to 2147483647, but it is 0.5.'],
  [{ x: "1" }, 'The amount of "x" must be a whole number from 1 to 2147483647, but it is "1".'],
  [{ x: null }, 'The amount of "x" must be a whole number from 1 to 2147483647, but it is null.'],
  [{ x: 2 ** 31 }, 'The amount of "x" must be a whole number from 1 to 2147483647, but it is 2147483648.'],
  [{ x: 2 }, 'No run can get 2 of "x", because its capacity is 1.'],
  [{ openai: 1_001 }, 'No run can get 1001 of "openai", because its capacity is 1000.'],
  [["x"], 'The resources must be an object of names and amounts, such as { "db": 1 }.'],
  [{ "": 1 }, '"" is not the name of a resource: it must have 1 to 100 characters, no control characters, and no space at either end.'],
  [
    { nothing: 1 },
    expect.stringMatching(/^There is no resource "nothing". There are "db", .*"y". Add it to ensemble.resources in langgraph.json.$/),
  ],
])("a request for %j fails at once with a clear error", async (needs, message) => {
  expect(await run({ needs })).toMatchObject({ __error__: { error: "ResourceError", message } });
});

test.each([
  [{ waitSeconds: -1 }, "waitSeconds"],
  [{ waitSeconds: 86_401 }, "waitSeconds"],
  [{ priority: 6 }, "priority"],
  [{ priority: 1.5 }, "priority"],
  [{ prio: 1 }, "prio"],
])("the options %j are refused", async (options, named) => {
  expect(await run({ needs: { x: 1 }, options })).toMatchObject({
    __error__: { error: "ResourceError", message: expect.stringContaining(named) },
  });
});

test("a run that is cancelled while it waits stops waiting, and others are served", async () => {
  const { gate, open } = makeGate();
  const first = await start({ needs: { x: 1 }, gate });
  await first.holds();
  const second = await start({ needs: { x: 1 }, options: { waitSeconds: 3_600, priority: 5 } });
  await second.waits();
  const third = await start({ needs: { x: 1 } });
  await third.waits();
  await second.cancel();
  expect(await client.runs.get(second.threadId, second.runId)).toMatchObject({ status: "interrupted" });
  expect(await usage("x")).toMatchObject({ held: 1, waiting: 1 });
  open();
  expect(await third.join()).toMatchObject({ done: true });
});

test("a run that is cancelled while it works gives its units back", async () => {
  const first = await start({ needs: { x: 1 }, gate: makeGate().gate });
  await first.holds();
  const second = await start({ needs: { x: 1 } });
  await second.waits();
  await first.cancel();
  expect(await second.join()).toMatchObject({ done: true });
});

test("an error in the work gives its units back", async () => {
  expect(await run({ needs: { x: 1 }, inside: { needs: { nothing: 1 } } })).toMatchObject({ __error__: { error: "ResourceError" } });
  expect(await run({ needs: { x: 1 } })).toMatchObject({ done: true });
});

test("of two runs that hold what the other waits for, one gets a DeadlockError and the other succeeds", async () => {
  const { gate, open } = makeGate();
  const one = await start({ needs: { x: 1 }, gate, inside: { needs: { y: 1 } } });
  const other = await start({ needs: { y: 1 }, gate, inside: { needs: { x: 1 } } });
  await Promise.all([one.holds(), other.holds()]);
  open();
  const ends = await Promise.all([one.join(), other.join()]);
  expect(ends.map((end) => end.__error__?.error ?? end.done).sort()).toEqual(["DeadlockError", true]);
});

test("the request of the lowest priority gives way in a deadlock", async () => {
  const { gate, open } = makeGate();
  const options = { priority: 2 };
  const low = await start({ needs: { x: 1 }, gate, inside: { needs: { y: 1 }, options } });
  const high = await start({ needs: { y: 1 }, gate, inside: { needs: { x: 1 } } });
  await Promise.all([low.holds(), high.holds()]);
  open();
  expect(await Promise.all([low.join(), high.join()])).toMatchObject([{ __error__: { error: "DeadlockError" } }, { done: true }]);
});

test("a run that waits for more of what it holds itself is a deadlock, unless there is enough", async () => {
  expect(await run({ needs: { db: 1 }, inside: { needs: { db: 1 } } })).toMatchObject({ done: true });
  const { __error__: error } = await run({ needs: { db: 1 }, inside: { needs: { db: 2 } } });
  expect(error).toEqual({
    error: "DeadlockError",
    message: 'The run waited for 2 of "db" in a circle with requests that wait for what it holds. It was chosen to give way.',
  });
});

test("a run that holds what an earlier request waits for is served before it", async () => {
  const { gate, open } = makeGate();
  const holding = await start({ needs: { y: 1 }, gate, inside: { needs: { x: 1 } } });
  await holding.holds();
  const both = await start({ needs: { x: 1, y: 1 } }); // comes first for x, and waits for y
  await both.waits();
  open();
  expect(await Promise.all([holding.join(), both.join()])).toMatchObject([{ done: true }, { done: true }]);
});

test("a limit that is changed at run time is obeyed at once, and a reset takes the limit of langgraph.json again", async () => {
  const { gate, open } = makeGate();
  const runs = [await start({ needs: { x: 1 }, gate }), await start({ needs: { x: 1 }, gate })];
  await until(async () => (await usage("x"))?.waiting === 1);
  const response = await put("x", { pool: 2 });
  expect({ status: response.status, body: await response.json() }).toMatchObject({
    status: 200,
    body: { name: "x", kind: "pool", capacity: 2, limit: { pool: 2 }, overridden: true },
  });
  await Promise.all(runs.map(({ holds }) => holds()));
  expect((await reset("x")).status).toBe(204);
  expect(await usage("x")).toMatchObject({ held: 2, free: -1, limit: { pool: 1 }, overridden: false });
  const third = await start({ needs: { x: 1 } });
  await third.waits();
  open();
  expect(await third.join()).toMatchObject({ done: true });
});

test("a resource with odd characters in its name can be used, listed and changed", async () => {
  const name = 'it\'s "odd" / 50% 🙂';
  expect(await run({ needs: { [name]: 1 } })).toMatchObject({ done: true });
  expect(await (await put(name, { pool: 3 })).json()).toMatchObject({ name, limit: { pool: 3 } });
  expect((await reset(name)).status).toBe(204);
  expect(await usage(name)).toMatchObject({ limit: { pool: 1 } });
  expect(await (await fetch("/metrics")).text()).toContain('ensemble_resource_capacity{resource="it\'s \\"odd\\" / 50% 🙂"} ');
});

test("limits that make no sense are refused with a sentence", async () => {
  const refusals = await Promise.all(
    [
      put("nothing", { pool: 1 }),
      reset("nothing"),
      put("x", { rate: "1/s" }),
      put("x", {}),
      put("x", { pool: 1, rate: "1/s" }),
      put("x", { pool: 0 }),
      put("openai", { rate: "ten a minute" }),
      put("openai", { rate: "0/m" }),
    ].map(async (answer) => {
      const response = await answer;
      return [response.status, await response.text()] as const;
    }),
  );
  expect(refusals.map(([status]) => status)).toEqual([404, 404, 409, 422, 422, 422, 422, 422]);
  expect(refusals[0]?.[1]).toContain('There is no resource "nothing". There are "db"');
  expect(refusals[2]?.[1]).toBe('"x" is a pool, so set `pool`.');
  expect(refusals[3]?.[1]).toContain("must have either pool or rate");
  expect(refusals[6]?.[1]).toContain('such as \\"10/s\\"');
});
