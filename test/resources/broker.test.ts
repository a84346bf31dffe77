import pg from "pg";
import { afterAll, beforeEach, expect, test } from "vitest";
import { ensureSystemAssistants } from "../../src/assistants/assistants.ts";
import type { Wakeups } from "../../src/db/listen.ts";
import { type RunAttempt, servedTopic, startBroker } from "../../src/resources/broker.ts";
import { ensureResources } from "../../src/resources/resources.ts";
import { runResourcesKey, withResources } from "../../src/resources/with-resources.ts";
import { until } from "../command.ts";
import { createDatabase } from "../database.ts";
import { startRun } from "./running-run.ts";

const db = new pg.Pool({ connectionString: await createDatabase(), max: 5 });
await ensureSystemAssistants(db, [{ graph_id: "g", name: "g", description: undefined, config: {}, context: {} }]);
await ensureResources(db, { x: { pool: 1 } });

/** The notifications that the broker has sent, and the waiting times that it has reported. */
const [sent, served]: [string[], string[]] = [[], []];
const wakeups = { on: () => () => {}, notify: (...topics: string[]) => sent.push(...topics) } as unknown as Wakeups;
const broker = startBroker({ db, wakeups, onServed: (resource) => served.push(resource), onError: () => {} });
beforeEach(() => {
  sent.length = 0;
  served.length = 0;
});
afterAll(async () => {
  await broker.stop();
  await db.end();
});

/** Returns a run as the config of its nodes. There is no sweeper here, so only the broker ends requests. */
async function makeRun(more: Partial<RunAttempt> = {}) {
  const { runId } = await startRun(db);
  const refused: Error[] = [];
  const run = { fence: { runId, attempt: 1 }, lostRight: () => new Error("lost"), refused: (error: Error) => refused.push(error), ...more };
  return { runId, refused, config: { configurable: { [runResourcesKey]: broker.forRun(run as RunAttempt) } } };
}
const count = async (state: string) => (await db.query("select from grants where state::text = $1", [state])).rowCount;
const never = () => new Promise<never>(() => {});

test("an aborted request stops waiting, is gone, and its work is never called", async () => {
  const [holding, waiting] = [await makeRun(), await makeRun()];
  const gate = Promise.withResolvers<void>();
  const held = withResources(holding.config, { x: 1 }, () => gate.promise);
  await until(async () => (await count("held")) === 1);
  const aborting = new AbortController();
  let isCalled = false;
  const config = { ...waiting.config, signal: aborting.signal };
  const ended = withResources(config, { x: 1 }, () => (isCalled = true), { waitSeconds: 3_600 }).catch((error) => error);
  await until(async () => (await count("waiting")) === 1);
  aborting.abort(new Error("stopped"));
  expect(await ended).toMatchObject({ message: "stopped" });
  expect(await count("waiting")).toBe(0);
  gate.resolve();
  await held;
  expect(isCalled).toBe(false);
  await expect(withResources(config, { x: 1 }, never)).rejects.toThrow("stopped");
  expect(await count("held")).toBe(0);
});

test("a request that ends tells the other processes only if others were served", async () => {
  const [one, other] = [await makeRun(), await makeRun()];
  await withResources(one.config, { x: 1 }, () => {});
  expect(sent).toEqual([]);
  const gate = Promise.withResolvers<void>();
  const first = withResources(one.config, { x: 1 }, () => gate.promise);
  await until(async () => (await count("held")) === 1);
  const second = withResources(other.config, { x: 1 }, () => "done");
  await until(async () => (await count("waiting")) === 1);
  gate.resolve();
  await first;
  expect(sent).toEqual([servedTopic]);
  expect(await second).toBe("done");
  expect(served).toEqual(["x", "x", "x"]);
});

test("a run can take the same unit again, because the unit is free as soon as the work has ended or failed", async () => {
  const { config } = await makeRun();
  const options = { waitSeconds: 0 };
  expect(await withResources(config, { x: 1 }, () => 1, options)).toBe(1);
  await expect(withResources(config, { x: 1 }, () => Promise.reject(new Error("broken")), options)).rejects.toThrow("broken");
  expect(await withResources(config, { x: 1 }, async () => 2, options)).toBe(2);
});

test("an attempt that has lost its right to write is stopped and calls no work", async () => {
  const { runId, config, refused } = await makeRun();
  await db.query("update runs set attempt = 2 where run_id = $1", [runId]);
  await expect(withResources(config, { x: 1 }, never)).rejects.toThrow("lost");
  expect(refused).toMatchObject([{ message: "lost" }]);
});

test("if the database fails, the attempt is stopped, so that the failure does not look like one of the node", async () => {
  const { config, refused } = await makeRun();
  await db.query("alter function take_resources rename to take_resources_away");
  await expect(withResources(config, { x: 1 }, never)).rejects.toThrow("take_resources");
  await db.query("alter function take_resources_away rename to take_resources");
  expect(refused).toMatchObject([{ message: expect.stringContaining("take_resources") }]);
});

test("work inside other work of the same run names the requests around it, and work beside it does not", async () => {
  await ensureResources(db, { a: { pool: 5 }, b: { pool: 5 } });
  const [one, other] = [await makeRun(), await makeRun()];
  const insides = async () =>
    (await db.query("select inside from grants where resource = 'b' order by since")).rows.map(({ inside }) => inside.length);
  await withResources(one.config, { a: 1 }, async () => {
    await withResources(one.config, { a: 1 }, () => withResources(one.config, { b: 1 }, async () => expect(await insides()).toEqual([2])));
    await withResources(other.config, { b: 1 }, async () => expect(await insides()).toEqual([0]));
  });
  await withResources(one.config, { b: 1 }, async () => expect(await insides()).toEqual([0]));
});

test("outside a run there are no limits, but wrong arguments are refused", async () => {
  expect(await withResources({}, { nothing: 1 }, () => "done")).toBe("done");
  await expect(withResources({}, { nothing: 0 }, never)).rejects.toThrow('The amount of "nothing" must be a whole number');
});
