import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { timeOutRuns } from "../../src/runs/sweep.ts";
import { until } from "../command.ts";
import { type Letter, lettersAt, only } from "../dead-letters.ts";
import { mended } from "../graphs/mending.ts";
import { startTestService } from "../service.ts";

const service = await startTestService();
const { client, db } = service;
const letters = lettersAt(service);

const run = async (threadId: string | null, graph: string, input: object, more: object = {}) => {
  await client.runs.wait(threadId as string, graph, { input, raiseError: false, ...more } as never).catch(() => {});
};

/** Runs the graph on a new thread until it fails, and returns the letter. */
async function fail(job: string, more: object = {}): Promise<Letter> {
  const { thread_id: threadId } = await client.threads.create();
  await run(threadId, "mending", { job, ...more });
  return only(await letters.of(threadId));
}

const logOf = async (threadId: string) => (await client.threads.getState<{ log: string[] }>(threadId)).values.log;

test("a run that fails is one dead letter, and goes on from its last checkpoint when it is redriven", async () => {
  const dead = await fail("first");
  expect(dead).toMatchObject({
    ...{ kind: "run", state: "dead", attempts: 1, node: "act", graph_id: "mending", redrive: null, by: null },
    error: { type: "Error", message: "first is broken" },
  });
  expect((await letters.get(dead.id)).payload).toEqual({ input: { job: "first" } });

  mended.add("first");
  expect(await letters.redrive({ ids: [dead.id] })).toEqual([dead.id]);
  const { state, redrive } = await letters.settled(dead.id);
  expect({ state, thread: redrive?.thread_id }).toEqual({ state: "redriven", thread: dead.thread_id });
  expect(await logOf(dead.thread_id)).toEqual(["prepared", "acted"]);
  const again = (await client.runs.get(dead.thread_id, redrive?.run_id ?? "")) as object;
  expect(again).toMatchObject({ kwargs: { input: null }, metadata: { dead_letter_id: dead.id } });
});

test("a redrive that fails again leaves the same letter, with one more attempt and the new error", async () => {
  const dead = await fail("second");
  await letters.redrive({ ids: [dead.id] });
  expect(await letters.settled(dead.id)).toMatchObject({ state: "dead", attempts: 2 });
  await letters.redrive({ ids: [dead.id] });
  expect(await letters.settled(dead.id)).toMatchObject({ state: "dead", attempts: 3 });
  expect(await letters.of(dead.thread_id)).toHaveLength(1);

  mended.add("second");
  await letters.redrive({ ids: [dead.id] });
  expect(await letters.settled(dead.id)).toMatchObject({ state: "redriven", attempts: 3 });
  expect(await logOf(dead.thread_id)).toEqual(["prepared", "acted"]);
});

test("two callers who redrive a letter at once start one run", async () => {
  const dead = await fail("third");
  await letters.send("POST", "/workers/halt"); // the run of the redrive stays pending, so it cannot fail before the last call
  const answers = await Promise.all(Array.from({ length: 8 }, () => letters.redrive({ ids: [dead.id] })));
  expect(answers.flat()).toEqual([dead.id]);
  await letters.send("POST", "/workers/resume");
  await letters.settled(dead.id);
  expect(await client.runs.list(dead.thread_id)).toHaveLength(2);
});

test("a redrive repeats the request if a newer run has used the thread", async () => {
  const dead = await fail("fourth");
  await run(dead.thread_id, "steps", {});
  mended.add("fourth");
  await letters.redrive({ ids: [dead.id] });
  const { state, redrive } = await letters.settled(dead.id);
  expect({ state, thread: redrive?.thread_id }).toEqual({ state: "redriven", thread: dead.thread_id });
  expect(await client.runs.get(dead.thread_id, redrive?.run_id ?? "")).toMatchObject({ kwargs: { input: { job: "fourth" } } });
});

test("an edit replaces the input, and an input that the graph refuses is refused with its path", async () => {
  const dead = await fail("fifth");
  mended.add("fifth, mended");
  await letters.redrive({ ids: [dead.id], edit: { job: "fifth, mended" } });
  const { state, redrive } = await letters.settled(dead.id);
  expect(state).toBe("redriven");
  expect(await client.runs.get(dead.thread_id, redrive?.run_id ?? "")).toMatchObject({ kwargs: { input: { job: "fifth, mended" } } });

  const { thread_id: threadId } = await client.threads.create();
  const made = await client.runs.create(threadId, "plain-form", { input: { task: "t" }, afterSeconds: 600 });
  await db.query(`update runs set status = 'error', ended_at = now(), error = '{"error":"E","message":"m"}' where run_id = $1`, [
    made.run_id,
  ]);
  const odd = only(await letters.of(threadId));
  const refused = await letters.send("POST", "/dead-letters/redrive", { ids: [odd.id], edit: { task: 7 } });
  expect({ status: refused.status, text: await refused.text() }).toEqual({ status: 422, text: expect.stringContaining("edit.task") });
  expect((await letters.get(odd.id)).state).toBe("dead");
});

test("the letter of a stateless run keeps the request, with a payload of 10 MB, after the thread is gone", async () => {
  const job = `stateless ${randomUUID()}`;
  const size = "x".repeat(10 * 1024 * 1024);
  await run(null, "mending", { job, size });
  const found = (await letters.list("&kind=run")).filter(({ error }) => error.message.startsWith(job));
  const dead = only(found);
  await db.query("delete from threads where thread_id = $1", [dead.thread_id]);
  expect((await letters.get(dead.id)).payload).toEqual({ input: { job, size } });

  mended.add(job);
  await letters.redrive({ ids: [dead.id] });
  const { state, redrive } = await letters.settled(dead.id);
  expect(state).toBe("redriven");
  expect(redrive?.thread_id).not.toBe(dead.thread_id);
});

test("a cancelled run, a refused request and a run that succeeds leave no letter", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const slow = await client.runs.create(threadId, "slow", { input: { until: 10_000, tickMs: 20 }, config: { recursion_limit: 100_000 } });
  await until(async () => (await client.runs.get(threadId, slow.run_id)).status === "running");
  await client.runs.cancel(threadId, slow.run_id, true);
  await run(threadId, "steps", {});
  expect(await letters.of(threadId)).toEqual([]);
});

test("a redrive whose run is cancelled or deleted leaves the letter dead", async () => {
  const [cancelled, deleted] = [await fail("sixth"), await fail("seventh")];
  await letters.send("POST", "/workers/halt"); // the runs of the redrive stay pending
  await letters.redrive({ ids: [cancelled.id, deleted.id] });
  const started = async ({ id }: Letter) => {
    await until(async () => (await letters.get(id)).redrive !== null);
    return (await letters.get(id)).redrive?.run_id ?? "";
  };
  await client.runs.cancel(cancelled.thread_id, await started(cancelled));
  await client.runs.delete(deleted.thread_id, await started(deleted));
  expect(await letters.settled(cancelled.id)).toMatchObject({ state: "dead", attempts: 2, error: { message: "sixth is broken" } });
  expect(await letters.settled(deleted.id)).toMatchObject({ state: "dead", attempts: 1 });
  await letters.send("POST", "/workers/resume");
});

test("a run that took too long is a letter too, whoever ended it", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const slow = await client.runs.create(threadId, "slow", { input: { tickMs: 60_000 } });
  await until(async () => (await client.runs.get(threadId, slow.run_id)).status === "running");
  await db.query("update runs set started_at = started_at - interval '1 day' where run_id = $1", [slow.run_id]);
  await timeOutRuns(db, 3_600); // the service's own sweeper may have ended it first
  expect(only(await letters.of(threadId))).toMatchObject({ kind: "run", run_id: slow.run_id, error: { type: "TimeoutError" } });
});

test("deleting a thread or a run deletes its letters", async () => {
  const [one, other] = [await fail("eighth"), await fail("eighth")];
  await client.threads.delete(one.thread_id);
  await client.runs.delete(other.thread_id, other.run_id);
  for (const { id } of [one, other]) expect((await letters.send("GET", `/dead-letters/${id}`)).status).toBe(404);
});

test("items that a node reports are letters, stored with its writes, and a redriven item has a run of its own", async () => {
  const { thread_id: threadId } = await client.threads.create();
  mended.add("good");
  await run(threadId, "mending-items", { names: ["good", "bad", "worse"] });
  const written = await letters.of(threadId);
  expect(written.map(({ kind, item, node, attempts }) => ({ kind, item, node, attempts }))).toEqual(
    expect.arrayContaining([
      { kind: "task", item: "bad", node: "work", attempts: 3 },
      { kind: "task", item: "worse", node: "work", attempts: 3 },
    ]),
  );
  const bad = written.find(({ item }) => item === "bad") as Letter;
  expect((await letters.get(bad.id)).payload).toEqual({ input: { names: ["bad"] } });

  await letters.redrive({ ids: [bad.id] });
  expect(await letters.settled(bad.id)).toMatchObject({ state: "dead", attempts: 4, error: { type: "ItemError" } });
  expect(await letters.list("&kind=task&state=dead")).toHaveLength(2); // no second letter of the same item

  mended.add("bad");
  await letters.redrive({ ids: [bad.id] });
  const { state, redrive } = await letters.settled(bad.id);
  expect(state).toBe("redriven");
  expect(redrive?.thread_id).not.toBe(threadId);
  expect((await client.threads.get(redrive?.thread_id ?? "")).values).toMatchObject({ done: ["bad"] });
});

test("items are stored at the end of a run that stores nothing before it, and stay if a later node fails", async () => {
  const { thread_id: atExit } = await client.threads.create();
  await run(atExit, "mending-items", { names: ["at exit"] }, { durability: "exit" });
  expect(only(await letters.of(atExit))).toMatchObject({ kind: "task", item: "at exit" });

  const { thread_id: failing } = await client.threads.create();
  await run(failing, "mending-items", { names: ["before"], then: "throw" });
  const kinds = (await letters.of(failing)).map(({ kind, node }) => `${kind} ${node}`);
  expect(kinds.sort()).toEqual(["run end", "task work"]);
});

test("a cron that cannot create its run has one letter, which counts its failures and creates the run later", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const waiting = await client.runs.create(threadId, "steps", { input: {}, afterSeconds: 600 });
  const request = { assistant_id: "steps", schedule: "0 0 1 1 *", input: {}, multitask_strategy: "reject" };
  const { cron_id: cronId } = await letters.ask<{ cron_id: string }>("POST", `/threads/${threadId}/runs/crons`, request);
  const tick = () => db.query("update crons set next_run_date = now() where cron_id = $1", [cronId]);
  await tick();
  await until(async () => (await letters.of(threadId)).length === 1);
  await tick();
  await until(async () => (await letters.of(threadId))[0]?.attempts === 2);
  const dead = only(await letters.of(threadId));
  expect(dead).toMatchObject({
    kind: "cron",
    cron_id: cronId,
    run_id: null,
    error: { message: expect.stringContaining("already running") },
  });

  await letters.redrive({ ids: [dead.id] });
  expect(await letters.settled(dead.id)).toMatchObject({ state: "dead", attempts: 3 }); // the thread is still busy
  await client.runs.cancel(threadId, waiting.run_id, true);
  await letters.redrive({ ids: [dead.id] });
  expect(await letters.settled(dead.id)).toMatchObject({ state: "redriven", redrive: { thread_id: threadId } });
});

test("letters are found by kind, graph, time and state, and paged", async () => {
  const before = new Date().toISOString();
  const found = [await fail("ninth"), await fail("tenth")].map(({ id }) => id);
  const since = `&since=${encodeURIComponent(before)}`;
  expect((await letters.list(`${since}&graph=mending&kind=run&state=dead`)).map(({ id }) => id)).toEqual(found.toReversed());
  expect(await letters.list(`${since}&graph=steps`)).toEqual([]);
  expect(await letters.list(`${since}&state=redriven`)).toEqual([]);
  const page = await letters.send("GET", `/dead-letters?limit=1${since}`);
  expect({ total: page.headers.get("x-pagination-total"), next: page.headers.get("x-pagination-next") }).toEqual({ total: "2", next: "1" });
});

test("a discarded letter is not redriven, and a redriven one is not discarded", async () => {
  const dead = await fail("eleventh");
  expect(await letters.discard({ ids: [dead.id] })).toEqual([dead.id]);
  expect(await letters.redrive({ ids: [dead.id] })).toEqual([]);
  expect(await letters.discard({ ids: [dead.id] })).toEqual([]);
  expect((await letters.get(dead.id)).state).toBe("discarded");
  const neither = await letters.send("POST", "/dead-letters/discard", {});
  expect({ status: neither.status, text: await neither.text() }).toMatchObject({
    status: 422,
    text: expect.stringContaining("ids or filter"),
  });
});

test("a redrive of 300 letters has at most `parallel` open runs at once, and redrives all", { timeout: 400_000 }, async () => {
  const { thread_id: threadId } = await client.threads.create();
  await run(threadId, "mending-items", { names: ["one of many"] });
  const { id } = only(await letters.of(threadId));
  await db.query(
    `insert into dead_letters (letter_id, kind, run_id, thread_id, graph_id, assistant_id, item, payload, kwargs, error)
     select gen_random_uuid(), kind, run_id, thread_id, 'many', assistant_id, n::text, payload, kwargs, error
       from dead_letters, generate_series(1, 300) n where letter_id = $1`,
    [id],
  );
  mended.add("one of many");
  expect(await letters.redrive({ filter: { graph: "many" }, parallel: 7 })).toHaveLength(300);
  const count = async (query: string) => Number((await db.query(query)).rows[0].count);
  let most = 0;
  await until(async () => {
    most = Math.max(most, await count("select count(*) from runs where status in ('pending', 'running') and letter_id is not null"));
    return (await count("select count(*) from dead_letters where graph_id = 'many' and state = 'redriven'")) === 300;
  }, 380_000);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(7);
  expect((await db.query("select from redrives")).rowCount).toBe(0);
});
