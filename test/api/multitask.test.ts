import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { collect } from "../sse.ts";

const { client, db } = await startTestService();

/** A config for runs that do not end. The recursion limit must not end them. */
const patient = { recursion_limit: 100_000 };

type Ticks = { ticks: number; names: string[] };

async function busyThread(): Promise<{ threadId: string; runId: string }> {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "slow", {
    input: { name: "old", until: 1_000, tickMs: 20 },
    config: patient,
    streamMode: ["custom"],
  });
  for await (const { event } of client.runs.joinStream(threadId, run.run_id)) if (event === "custom") break;
  return { threadId, runId: run.run_id };
}

const short = { input: { name: "new", until: 0, tickMs: 1 } };

test("reject refuses a second run and inserts nothing", async () => {
  const { threadId, runId } = await busyThread();
  await expect(client.runs.create(threadId, "slow", { ...short, multitaskStrategy: "reject" })).rejects.toThrow(
    "HTTP 409: Thread is already running a task.",
  );
  expect(await client.runs.list(threadId)).toHaveLength(1);
  await client.runs.cancel(threadId, runId, true);
});

test("enqueue executes runs one after another in the order of their creation", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const runs = [];
  for (const name of ["a", "b", "c", "d"])
    runs.push(await client.runs.create(threadId, "slow", { input: { name, until: 0, tickMs: 10 }, multitaskStrategy: "enqueue" }));
  await Promise.all(runs.map(({ run_id }) => client.runs.join(threadId, run_id)));
  expect((await client.threads.getState<Ticks>(threadId)).values.names).toEqual(["a", "b", "c", "d"]);
  expect(await client.threads.get(threadId)).toMatchObject({ status: "idle" });
});

test("interrupt stops what runs, keeps its state, and drops what waits", async () => {
  const { threadId, runId } = await busyThread();
  const waiting = await client.runs.create(threadId, "slow", { input: { name: "never", until: 0 } });
  const values = (await client.runs.wait(threadId, "slow", { ...short, multitaskStrategy: "interrupt" })) as Ticks;
  expect(values.names).toEqual(["old", "new"]);
  expect(await client.runs.get(threadId, runId)).toMatchObject({ status: "interrupted" });
  expect(await client.runs.get(threadId, waiting.run_id)).toMatchObject({ status: "interrupted" });
  expect(await client.threads.get(threadId)).toMatchObject({ status: "idle" });
});

test("rollback takes back what runs and what waits, as if they had never been", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "slow", { input: { name: "first", until: 0, tickMs: 1 } });
  const running = await client.runs.create(threadId, "slow", {
    input: { name: "old", until: 1_000, tickMs: 20 },
    config: patient,
    streamMode: ["custom"],
  });
  for await (const { event } of client.runs.joinStream(threadId, running.run_id)) if (event === "custom") break;
  const waiting = await client.runs.create(threadId, "slow", { input: { name: "never" } });

  const values = (await client.runs.wait(threadId, "slow", { ...short, multitaskStrategy: "rollback" })) as Ticks;
  expect(values.names).toEqual(["first", "new"]);
  for (const { run_id } of [running, waiting]) await expect(client.runs.get(threadId, run_id)).rejects.toThrow("HTTP 404");
  const history = await client.threads.getHistory<Ticks>(threadId, { limit: 100 });
  expect(JSON.stringify(history)).not.toContain(running.run_id);
  const leftovers = await db.query(
    `select (select count(*) from checkpoints where run_id = $1) + (select count(*) from checkpoint_writes where run_id = $1)
          + (select count(*) from checkpoint_blobs where run_id = $1) + (select count(*) from run_events where run_id = $1) as count`,
    [running.run_id],
  );
  expect(Number(leftovers.rows[0].count)).toBe(0);
});

test("after a rollback and a new run, the values read back are the new run's", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "slow", { input: { name: "first", until: 0, tickMs: 1 } });
  const run = await client.runs.create(threadId, "slow", {
    input: { name: "gone", until: 1_000, tickMs: 10 },
    config: patient,
    streamMode: ["custom"],
  });
  for await (const { event } of client.runs.joinStream(threadId, run.run_id)) if (event === "custom") break;
  await client.runs.cancel(threadId, run.run_id, true, "rollback");
  expect((await client.threads.getState<Ticks>(threadId)).values.names).toEqual(["first"]);
  await client.runs.wait(threadId, "slow", { input: { name: "second", until: 0, tickMs: 1 } });
  expect((await client.threads.getState<Ticks>(threadId)).values.names).toEqual(["first", "second"]);
});

test("strategies hold on every creating endpoint", async () => {
  const { threadId } = await busyThread();
  await expect(client.runs.wait(threadId, "slow", { ...short, multitaskStrategy: "reject" })).rejects.toThrow("HTTP 409");
  await expect(collect(client.runs.stream(threadId, "slow", { ...short, multitaskStrategy: "reject" }))).rejects.toThrow("HTTP 409");
  const events = await collect(client.runs.stream(threadId, "slow", { ...short, multitaskStrategy: "interrupt" }));
  expect(Object(events.at(-1)).data.names).toEqual(["old", "new"]);
});

test("of many simultaneous runs with reject exactly one runs", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const tries = await Promise.allSettled(
    Array.from({ length: 12 }, () =>
      client.runs.create(threadId, "slow", { input: { until: 10_000, tickMs: 30 }, config: patient, multitaskStrategy: "reject" }),
    ),
  );
  expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const runs = await client.runs.list(threadId);
  expect(runs).toHaveLength(1);
  await client.runs.cancel(threadId, runs[0]?.run_id ?? "", true);
});

test("many interrupts and rollbacks at once leave one survivor and a usable thread", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const strategies = ["interrupt", "rollback"] as const;
  const runs = await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      client.runs.create(threadId, "slow", { input: { name: `n${n}`, until: 2, tickMs: 5 }, multitaskStrategy: strategies[n % 2] }),
    ),
  );
  await Promise.all(runs.map(({ run_id }) => client.runs.join(threadId, run_id).catch(() => undefined)));
  expect(await client.threads.get(threadId)).toMatchObject({ status: "idle" });
  const left = await client.runs.list(threadId, { limit: 100 });
  expect(left.filter(({ status }) => status === "success").length).toBeGreaterThanOrEqual(1);
  expect(left.every(({ status }) => status === "success" || status === "interrupted")).toBe(true);
});

test("never are two runs of a thread running at once", async () => {
  const threads = await Promise.all(Array.from({ length: 4 }, () => client.threads.create()));
  const runs = await Promise.all(
    threads.flatMap(({ thread_id }) =>
      Array.from({ length: 5 }, () => client.runs.create(thread_id, "slow", { input: { until: 1, tickMs: 5 } })),
    ),
  );
  await Promise.all(runs.map(({ thread_id, run_id }) => client.runs.join(thread_id, run_id)));
  const overlapping = await db.query(`
    select a.run_id from runs a join runs b on a.thread_id = b.thread_id and a.seq < b.seq
     where b.started_at < a.ended_at and a.started_at < b.ended_at`);
  expect(overlapping.rows).toEqual([]);
});
