import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { startCluster, until } from "../cluster-of-processes.ts";

vi.setConfig({ testTimeout: 240_000 });

const { client, fetch, db, startWorker, journal, journalFile, begun, rowOf } = await startCluster();
const config = { configurable: { journal: journalFile } };

interface Usage {
  name: string;
  held: number;
  waiting: number;
}
const usage = async (name: string) =>
  ((await (await fetch("/resources")).json()) as Usage[]).find((resource) => resource.name === name) as Usage;

afterEach(async () => {
  const { rows } = await db.query("select thread_id from runs where status in ('pending', 'running')");
  for (const { thread_id } of rows) await client.threads.delete(thread_id);
});

function makeGate() {
  const gate = join(dirname(journalFile), randomUUID());
  return { gate, open: () => writeFileSync(gate, "") };
}

async function start(plan: object) {
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "sharing", { input: { plan }, config });
  const join = () => client.runs.join(threadId, runId) as Promise<{ done?: boolean; __error__?: { error: string } }>;
  const isWaiting = async () => (await db.query("select from grants where run_id = $1 and state = 'waiting'", [runId])).rowCount !== 0;
  return { runId, threadId, join, enters: (name: string) => until(begun(runId, `enter ${name}`)), waits: () => until(isWaiting) };
}

test("100 units of a pool are never exceeded by three processes", async () => {
  const workers = [await startWorker({ N_JOBS_PER_WORKER: "20" }), await startWorker({ N_JOBS_PER_WORKER: "20" }), await startWorker()];
  const amounts = Array.from({ length: 90 }, (_, place) => 1 + ((place * 17) % 40));
  const runs = await Promise.all(
    amounts.map((many, place) =>
      start({ name: `${many}`, needs: { many, openai: 1 }, workMs: 20 + (place % 5) * 20, options: { waitSeconds: 200 } }),
    ),
  );
  expect(await Promise.all(runs.map(({ join }) => join()))).toEqual(runs.map(() => expect.objectContaining({ done: true })));

  // A run notes that it enters after it has got its units, and that it leaves before it gives them back.
  const lines = journal().map(({ what, pid, at }) => ({
    pid,
    at,
    change: Number(what.split(" ")[1]) * (what.startsWith("enter") ? 1 : -1),
  }));
  let [held, most] = [0, 0];
  for (const { change } of lines.toSorted((a, b) => a.at - b.at || a.change - b.change)) {
    held += change;
    most = Math.max(most, held);
  }
  expect(held).toBe(0);
  expect(most).toBeGreaterThan(60); // the units were indeed scarce
  expect(most).toBeLessThanOrEqual(100);
  expect(new Set(lines.map(({ pid }) => pid))).toEqual(new Set(workers.map(({ child }) => child.pid)));
  expect(await usage("many")).toMatchObject({ held: 0, waiting: 0 });
});

test.each(["SIGKILL", "SIGSTOP"] as const)("if the worker of a run gets %s, its units are free when its lease is over", async (signal) => {
  const dying = await startWorker({ N_JOBS_PER_WORKER: "1" });
  const { gate, open } = makeGate();
  const holding = await start({ name: "first", needs: { x: 1 }, gate });
  await holding.enters("first");
  await startWorker();
  const waiting = await start({ name: "second", needs: { x: 1 }, options: { waitSeconds: 200 } });
  await waiting.waits();
  dying.child.kill(signal);
  await waiting.enters("second");
  open();
  expect(await Promise.all([waiting.join(), holding.join()])).toMatchObject([{ done: true }, { done: true }]);
  expect(await rowOf(holding.runId)).toMatchObject({ status: "success", attempt: 2 });
  expect(await usage("x")).toMatchObject({ held: 0, waiting: 0 });
});

test("a deadlock between runs of two workers ends with one DeadlockError and one success", async () => {
  for (const _ of [1, 2]) await startWorker({ N_JOBS_PER_WORKER: "1" });
  const { gate, open } = makeGate();
  const one = await start({ name: "x", needs: { x: 1 }, gate, inside: { needs: { y: 1 } } });
  const other = await start({ name: "y", needs: { y: 1 }, gate, inside: { needs: { x: 1 } } });
  await Promise.all([one.enters("x"), other.enters("y")]);
  open();
  const ends = await Promise.all([one.join(), other.join()]);
  expect(ends.map((end) => end.__error__?.error ?? end.done).sort()).toEqual(["DeadlockError", true]);
});

test("requests that wait go on waiting when all connections of the database are cut", async () => {
  await startWorker();
  const { gate, open } = makeGate();
  const holding = await start({ name: "first", needs: { x: 1 }, gate });
  await holding.enters("first");
  const waiting = await start({ name: "second", needs: { x: 1 }, options: { waitSeconds: 200 } });
  await waiting.waits();
  await db.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name <> ''");
  open();
  // The API may refuse a request whose connection was cut, so the test reads the database.
  for (const { runId } of [waiting, holding]) await until(async () => !/pending|running/.test((await rowOf(runId)).status));
  expect([await rowOf(waiting.runId), await rowOf(holding.runId)]).toMatchObject([{ status: "success" }, { status: "success" }]);
});

test("a limit that is changed over the API is obeyed by the workers", async () => {
  for (const _ of [1, 2]) await startWorker({ N_JOBS_PER_WORKER: "1" });
  const { gate, open } = makeGate();
  const plan = { name: "x", needs: { x: 1 }, gate };
  const runs = [await start(plan), await start(plan)];
  await until(async () => (await usage("x")).waiting === 1);
  const put = (pool: number) =>
    fetch("/resources/x", { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify({ pool }) });
  expect((await put(2)).status).toBe(200);
  await Promise.all(runs.map(({ enters }) => enters("x")));
  await put(1);
  open();
  await Promise.all(runs.map(({ join }) => join()));
});
