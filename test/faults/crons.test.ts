import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { expect, onTestFinished, test, vi } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startService } from "../../src/main.ts";
import { startCluster, until } from "../cluster-of-processes.ts";
import type { TestProcess } from "../service.ts";

vi.setConfig({ testTimeout: 240_000 });

const { client, db, databaseUrl, startWorker } = await startCluster();
const yearly = "0 0 1 1 *";
const { thread_id: threadId } = await client.threads.create();

const makeDue = (cronIds: string[]) => db.query("update crons set next_run_date = now() where cron_id = any($1)", [cronIds]);
const runsOf = async (cronIds: string[]) =>
  (await db.query("select metadata ->> 'cron_id' as cron, status from runs where metadata ->> 'cron_id' = any($1) order by 1", [cronIds]))
    .rows;
const idsOf = (crons: { cron_id: string }[]) => crons.map(({ cron_id }) => cron_id).sort();
const countRows = async () =>
  (
    await db.query(
      "select (select count(*) from crons) as crons, (select count(*) from runs) as runs, (select count(*) from threads) as threads",
    )
  ).rows[0];

/** Locks a table against writes until the returned function is called. */
async function closeGate(table: string): Promise<() => Promise<void>> {
  const gate = await db.connect();
  let closed = true;
  const open = async () => {
    if (!closed) return;
    closed = false;
    await gate.query("commit");
    gate.release();
  };
  onTestFinished(open); // opens the table again if the test fails
  await gate.query(`begin; lock table ${table} in share mode`);
  return open;
}

/** Returns how many connections wait for a lock with such a statement. */
async function countWaiting(statement: string): Promise<number> {
  const waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like $1";
  return (await db.query(waiting, [`%${statement}%`])).rowCount ?? 0;
}

test.each<[what: string, sentence: RegExp, ask: () => Promise<unknown>]>([
  ["on an unknown thread", /404: Thread with ID/, () => client.crons.createForThread(randomUUID(), "steps", { schedule: yearly })],
  ["of an unknown assistant", /404: No assistant found for "nobody"/, () => client.crons.create("nobody", { schedule: yearly })],
  [
    "with an input that the graph would refuse",
    /422: .*input\.task/,
    () => client.crons.create("form", { schedule: yearly, input: { task: "" }, context: { language: "en" } }),
  ],
  [
    "without the context that the graph needs",
    /422: .*context\.language/,
    () => client.crons.create("form", { schedule: yearly, input: { task: "dig" } }),
  ],
  [
    "from a checkpoint that is not there",
    /404: Checkpoint .+ not found/,
    () => client.crons.create("steps", { schedule: yearly, config: { configurable: { checkpoint_id: randomUUID() } } }),
  ],
  [
    "that is over before it begins",
    /422: end_time: the schedule has no time between now and its end/,
    () => client.crons.create("steps", { schedule: yearly, endTime: "2020-01-01T00:00:00" }),
  ],
  ["every second", /422: .*the shortest interval is one minute/, () => client.crons.create("steps", { schedule: "* * * * * *" })],
])("a cron %s is refused, and nothing of it is left", async (_what, sentence, ask) => {
  const before = await countRows();
  await expect(ask()).rejects.toThrow(sentence);
  expect(await countRows()).toEqual(before);
});

test("an invalid change of a cron is refused and leaves the cron unchanged", async () => {
  const cron = await client.crons.create("form", { schedule: yearly, input: { task: "dig" }, context: { language: "en" } });
  await expect(client.crons.update(cron.cron_id, { input: { task: "" } })).rejects.toThrow(/422: .*input\.task/);
  await expect(client.crons.update(cron.cron_id, { schedule: "0 0 30 2 *" })).rejects.toThrow(/422: .*no date matches these five fields/);
  expect(await client.crons.search({ assistantId: "form" })).toEqual([cron]);
});

test("a change of a cron that keeps the schedule does not lose a due tick", async () => {
  const { cron_id } = await client.crons.create("steps", { schedule: yearly });
  await makeDue([cron_id]); // there is no worker
  const isDue = async () => (await db.query("select from crons where cron_id = $1 and next_run_date <= now()", [cron_id])).rowCount === 1;
  await client.crons.update(cron_id, { metadata: { a: 1 }, enabled: true, schedule: yearly, endTime: "2099-01-01T00:00:00Z" });
  expect(await isDue()).toBe(true);
  await client.crons.update(cron_id, { timezone: "Europe/Berlin" });
  expect(await isDue()).toBe(false);
});

test("there is a most of crons, and those that come at once do not pass it", async () => {
  await db.query(`
    insert into crons (cron_id, assistant_id, schedule, on_run_completed, payload, metadata)
    select gen_random_uuid(), assistant_id, '0 0 1 1 *', 'delete', '{}', '{"many": true}'
      from assistants, generate_series(1, 999 - (select count(*)::integer from crons)) where graph_id = 'steps'`);
  const open = await closeGate("crons");
  const asking = Promise.allSettled([1, 2, 3, 4].map(() => client.crons.create("steps", { schedule: yearly })));
  await until(async () => (await countWaiting("insert into crons")) + (await countWaiting("pg_advisory")) === 4);
  await open();
  const asked = await asking;
  expect(asked.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected", "rejected", "rejected"]);
  expect(String(asked.find((one) => one.status === "rejected")?.reason)).toContain("409: There are 1000 crons");
  await db.query("delete from crons where metadata::jsonb @> '{\"many\": true}'");
});

test("each due tick gives one run, even if some or all of three workers die while they create the runs", async () => {
  const schedule = { schedule: yearly, input: {} };
  const alone = idsOf(await Promise.all([1, 2, 3, 4, 5].map(() => client.crons.create("steps", schedule))));
  const onThread = idsOf(await Promise.all([1, 2, 3, 4, 5].map(() => client.crons.createForThread(threadId, "steps", schedule))));
  const ids = [...alone, ...onThread].sort();
  const ticksOf = async () => (await runsOf(ids)).map(({ cron }) => cron);
  const eachHas = (ticks: number) => ids.flatMap((id) => Array(ticks).fill(id));
  const alive: TestProcess[] = [];
  for (const { dying, ticks } of [
    { dying: 0, ticks: 1 },
    { dying: 2, ticks: 2 },
    { dying: 3, ticks: 3 },
  ]) {
    while (alive.length < 3) alive.push(await startWorker());
    const open = await closeGate("runs"); // each worker thus stops in the middle of creating a run
    await makeDue(alone);
    await until(async () => (await countWaiting("insert into runs")) === 3);
    await makeDue(onThread);
    const dead = alive.splice(0, dying);
    for (const { child } of dead) child.kill("SIGKILL");
    await Promise.all(dead.map(({ exited }) => exited));
    await open();
    if (alive.length === 0) {
      expect(await ticksOf()).toEqual(eachHas(ticks - 1));
      alive.push(await startWorker());
    }
    await until(async () => (await db.query("select from crons where next_run_date <= now()")).rowCount === 0); // no other cron can fire
    expect(await ticksOf()).toEqual(eachHas(ticks));
  }
  await until(async () => (await runsOf(ids)).every(({ status }) => status === "success"));
});

test("a halted service does not accumulate ticks, and catches up after resume", async () => {
  const { cron_id } = await client.crons.create("steps", { schedule: yearly, input: {} });
  const settings = { ENSEMBLE_CONFIG: "test/graphs/langgraph.json", DATABASE_URL: databaseUrl, ENSEMBLE_ROLE: "worker" };
  const worker = await startService(readConfig(settings), pino({ level: "silent" }));
  onTestFinished(worker.stop);
  await db.query("insert into halts default values");
  await makeDue([cron_id]);
  const beats = async () => (await db.query<{ at: Date }>("select max(heartbeat_at) as at from workers")).rows[0]!.at.getTime();
  const since = await beats();
  await until(async () => (await beats()) > since + 2_500); // the cron has been checked twice meanwhile
  expect(await runsOf([cron_id])).toEqual([]);
  await db.query("delete from halts");
  await until(async () => (await runsOf([cron_id])).length === 1);
});
