import type { Cron } from "@langchain/langgraph-sdk";
import { expect, test } from "vitest";
import { until } from "../command.ts";
import { startTestService } from "../service.ts";

const { client, fetch, db } = await startTestService();

/** A schedule that fires once a year, so that no cron fires on its own during the tests. */
const yearly = "0 0 1 1 *";
const oneDay = 86_400_000;

const runsOf = async ({ cron_id }: { cron_id: string }) =>
  (await db.query("select run_id, thread_id, status, metadata from runs where metadata ->> 'cron_id' = $1 order by seq", [cron_id])).rows;
const nextOf = async ({ cron_id }: { cron_id: string }): Promise<Date | null> =>
  (await db.query("select next_run_date as next from crons where cron_id = $1", [cron_id])).rows[0]?.next;
/** Makes a cron due since `daysAgo` days, as if no worker had been running. Resolves when a worker has handled it. */
async function comeDue(cron: { cron_id: string }, daysAgo = 0): Promise<void> {
  const { rows } = await db.query(
    "update crons set next_run_date = now() - make_interval(days => $2) where cron_id = $1 returning next_run_date as due",
    [cron.cron_id, daysAgo],
  );
  await until(async () => (await nextOf(cron))?.getTime() !== rows[0].due.getTime());
}
const ended = (cron: { cron_id: string }) => until(async () => (await runsOf(cron)).every(({ status }) => status === "success"));
/** Creates a thread with a delayed run, so that the thread is busy. */
async function busyThread() {
  const { thread_id: threadId } = await client.threads.create();
  const waiting = await client.runs.create(threadId, "steps", { input: {}, afterSeconds: 3_600 });
  return { threadId, waiting };
}

test("a cron on a thread runs there when its time comes, as it was asked to", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const hour = (new Date().getUTCHours() + 12) % 24; // half a day from now, so that the cron does not fire on its own
  const schedule = `30 ${(hour + 5) % 24} * * *`; // in Kolkata it is 5:30 when it is midnight in London
  const cron = await client.crons.createForThread(threadId, "mirror", {
    schedule,
    timezone: "Asia/Kolkata",
    input: { anything: 7 },
    context: { who: "Ada" },
    config: { tags: ["daily"], configurable: { mark: 1 } },
    metadata: { team: "blue" },
    endTime: "2099-01-01T00:00:00Z",
  });
  expect(cron).toMatchObject({
    thread_id: threadId,
    schedule,
    timezone: "Asia/Kolkata",
    end_time: "2099-01-01T00:00:00.000Z",
    enabled: true,
    on_run_completed: "keep",
    payload: { input: { anything: 7 }, context: { who: "Ada" } },
    metadata: { team: "blue" },
    user_id: null,
  });
  expect(new Date(cron.next_run_date).toISOString().slice(11)).toBe(`${String(hour).padStart(2, "0")}:00:00.000Z`);
  expect(Date.parse(cron.next_run_date) - Date.now()).toBeLessThanOrEqual(oneDay);

  await comeDue(cron);
  await ended(cron);
  expect(await client.runs.list(threadId)).toMatchObject([{ status: "success", metadata: { team: "blue", cron_id: cron.cron_id } }]);
  const { values } = await client.threads.get<{ anything: number; seen: object }>(threadId);
  expect(values).toMatchObject({ anything: 7, seen: { context: { who: "Ada" }, tags: ["daily"], configurable: { mark: 1 } } });
  expect((await nextOf(cron))?.getTime()).toBeGreaterThan(Date.now());
});

test("without a thread each run gets a thread of its own, which is deleted with the run or kept", async () => {
  const passing = await client.crons.create("steps", { schedule: yearly, input: {} });
  const keeping = await client.crons.create("steps", { schedule: yearly, input: {}, onRunCompleted: "keep" });
  expect([passing, keeping]).toMatchObject([
    { thread_id: null, on_run_completed: "delete" },
    { thread_id: null, on_run_completed: "keep" },
  ]);
  for (const _time of [1, 2]) await Promise.all([comeDue(passing), comeDue(keeping)]);
  await ended(passing);
  await ended(keeping);
  const threadsOf = async (cron: { cron_id: string }) => client.threads.search({ metadata: { cron_id: cron.cron_id } });
  expect(await threadsOf(passing)).toEqual([]);
  expect(await threadsOf(keeping)).toMatchObject([{ values: { last: "three" } }, { values: { last: "three" } }]);
  for (const cron of [passing, keeping]) expect(new Set((await runsOf(cron)).map((run) => run.thread_id)).size).toBe(2);
});

test("all missed ticks together give one run, and the next run is at the next future tick", async () => {
  const cron = await client.crons.create("steps", { schedule: yearly, input: {} });
  const next = new Date(cron.next_run_date);
  await comeDue(cron, 2_000);
  expect(await nextOf(cron)).toEqual(next);
  expect(await runsOf(cron)).toHaveLength(1);
});

test("on a busy thread a run waits its turn, and with reject there is none this time", async () => {
  const { threadId, waiting } = await busyThread();
  const polite = await client.crons.createForThread(threadId, "steps", { schedule: yearly, input: {}, multitaskStrategy: "reject" });
  const queuing = await client.crons.createForThread(threadId, "steps", { schedule: yearly, input: {} });
  await Promise.all([comeDue(polite), comeDue(queuing)]);
  expect(await runsOf(polite)).toEqual([]);
  expect(await runsOf(queuing)).toMatchObject([{ thread_id: threadId }]);
  const urgent = await client.crons.createForThread(threadId, "steps", { schedule: yearly, input: {}, multitaskStrategy: "interrupt" });
  expect(await client.runs.get(threadId, waiting.run_id)).toMatchObject({ status: "pending" }); // creating a cron cancels no run
  await comeDue(urgent);
  await ended(urgent);
  expect(await client.runs.get(threadId, waiting.run_id)).toMatchObject({ status: "interrupted" });
});

test("a cron that is disabled, or at its end, has no next run until that is changed", async () => {
  const cron = await client.crons.create("steps", { schedule: yearly, input: {}, enabled: false });
  expect(cron).toMatchObject({ enabled: false, next_run_date: null });
  const update = async (change: object) => (await client.crons.update(cron.cron_id, change)) as unknown as Cron;
  const { next_run_date: next } = await update({ enabled: true });
  expect(next).toMatch(/-01-01T00:00:00.000Z$/);
  expect(await update({ endTime: "2020-01-01T00:00:00Z" })).toMatchObject({ enabled: true, next_run_date: null });
  expect(await update({ endTime: null })).toMatchObject({ end_time: null, next_run_date: next });
  expect(await update({ endTime: next })).toMatchObject({ next_run_date: next });
  expect(await update({ enabled: false })).toMatchObject({ enabled: false, next_run_date: null });
});

test("what was due while the service was away is not caught up with after the end", async () => {
  const over = await client.crons.create("steps", { schedule: yearly, input: {} });
  const last = await client.crons.create("steps", { schedule: yearly, input: {} });
  await db.query("update crons set end_time = now() - interval '1 hour' where cron_id = $1", [over.cron_id]);
  await db.query("update crons set end_time = now() where cron_id = $1", [last.cron_id]);
  await Promise.all([comeDue(over, 1), comeDue(last)]);
  expect(await runsOf(over)).toEqual([]);
  expect(await runsOf(last)).toHaveLength(1); // the cron was due in time, and the worker only noticed it a moment later
  expect([await nextOf(over), await nextOf(last)]).toEqual([null, null]);
});

test("an update of a cron changes the next run and keeps the fields that it leaves out", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const cron = await client.crons.createForThread(threadId, "mirror", {
    schedule: yearly,
    timezone: "Europe/Berlin",
    input: { anything: "old" },
    context: { who: "Ada" },
    metadata: { team: "blue" },
  });
  const changed = await client.crons.update(cron.cron_id, {
    input: { anything: "new" },
    metadata: { urgent: true },
    onRunCompleted: "delete",
  });
  expect(changed).toMatchObject({
    payload: { input: { anything: "new" }, context: { who: "Ada" } },
    metadata: { team: "blue", urgent: true },
    timezone: "Europe/Berlin",
    next_run_date: cron.next_run_date,
    on_run_completed: "keep", // the thread existed before the cron
  });
  expect(await client.crons.update(cron.cron_id, { schedule: "0 12 1 1 *" })).toMatchObject({
    next_run_date: expect.stringMatching(/-01-01T11:00:00.000Z$/),
  });
  await comeDue(cron);
  await ended(cron);
  expect(await client.threads.get(threadId)).toMatchObject({ values: { anything: "new", seen: { context: { who: "Ada" } } } });
});

test("crons are found, counted, sorted and paged", async () => {
  const { assistant_id } = await client.assistants.create({ graphId: "steps" });
  const { thread_id: threadId } = await client.threads.create();
  const ours = { metadata: { list: "ours" } };
  const [a, b, c] = [
    await client.crons.create(assistant_id, { schedule: "0 0 3 1 *", ...ours }),
    await client.crons.createForThread(threadId, assistant_id, { schedule: "0 0 1 1 *", ...ours }),
    await client.crons.create("steps", { schedule: "0 0 2 1 *", ...ours, enabled: false }),
  ].map(({ cron_id }) => cron_id);
  const found = async (query: object) => (await client.crons.search({ ...ours, ...query })).map(({ cron_id }) => cron_id);
  expect(await found({})).toEqual([c, b, a]);
  expect(await found({ sortBy: "next_run_date", sortOrder: "asc" })).toEqual([b, a, c]);
  expect(await found({ assistantId: assistant_id })).toEqual([b, a]);
  expect(await found({ assistantId: "steps" })).toEqual([c]);
  expect(await found({ threadId })).toEqual([b]);
  expect(await found({ enabled: false })).toEqual([c]);
  expect(await client.crons.search({ threadId, select: ["cron_id", "schedule"] })).toEqual([{ cron_id: b, schedule: "0 0 1 1 *" }]);
  expect([await client.crons.count(ours), await client.crons.count({ assistantId: assistant_id })]).toEqual([3, 2]);
  const page = await fetch("/runs/crons/search", { method: "POST", body: JSON.stringify({ ...ours, limit: 2 }) });
  expect([page.headers.get("x-pagination-total"), page.headers.get("x-pagination-next")]).toEqual(["3", "2"]);
});

test("a cron goes by itself, with its thread, and with its assistant", async () => {
  const { assistant_id } = await client.assistants.create({ graphId: "steps" });
  const { thread_id: threadId } = await client.threads.create();
  const crons = [
    await client.crons.create("steps", { schedule: yearly }),
    await client.crons.createForThread(threadId, "steps", { schedule: yearly }),
    await client.crons.create(assistant_id, { schedule: yearly }),
  ];
  await client.crons.delete(crons[0]?.cron_id ?? "");
  await client.threads.delete(threadId);
  await client.assistants.delete(assistant_id);
  const ids = crons.map(({ cron_id }) => cron_id);
  expect((await db.query("select from crons where cron_id = any($1)", [ids])).rowCount).toBe(0);
  await expect(client.crons.delete(ids[0] ?? "")).rejects.toThrow("HTTP 404: Cron not found");
  await expect(client.crons.update(ids[0] ?? "", { enabled: false })).rejects.toThrow("HTTP 404: Cron not found");
});

test("the service says that it has crons", async () => {
  expect(await (await fetch("/info")).json()).toMatchObject({ flags: { crons: true } });
});

test("a cron whose runs would call where they may not is refused, made or changed", async () => {
  const webhook = "http://169.254.169.254/latest/meta-data";
  await expect(client.crons.create("steps", { schedule: yearly, webhook })).rejects.toThrow(/422.*webhook/);
  const made = await client.crons.create("steps", { schedule: yearly, webhook: "https://example.org/done" });
  const cronId = (made as unknown as { cron_id: string }).cron_id;
  await expect(client.crons.update(cronId, { webhook })).rejects.toThrow(/422.*webhook/);
  await client.crons.delete(cronId);
});
