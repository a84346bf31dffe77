import { expect, test, vi } from "vitest";
import { startCluster, until } from "./cluster-of-processes.ts";
import { collect } from "./sse.ts";

vi.setConfig({ testTimeout: 60_000 });

const { client, db, startWorker, journal, journalFile } = await startCluster();
const config = { configurable: { journal: journalFile } };

const rowOf = async (runId: string) =>
  (await db.query("select status, attempt, crashes, worker_id from runs where run_id = $1", [runId])).rows[0];
const begun = (runId: string, what: string) => () => journal(runId).some((line) => line.what === what);
const counts = (runId: string) =>
  Object.fromEntries(Object.entries(Object.groupBy(journal(runId), ({ what }) => what)).map(([what, lines]) => [what, lines?.length]));

test("a worker killed in the middle of a node: another goes on from the last checkpoint, and the clients' streams with it", async () => {
  const patient = { ENSEMBLE_LEASE_SECS: "300" }; // it is the lock that tells, long before the lease
  const [first, second] = [await startWorker(patient), await startWorker(patient)];
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "relay", { input: { steps: 6, stepMs: 300 }, config, streamMode: ["updates"] });
  const following = collect(client.runs.joinStream(threadId, run.run_id));
  await until(begun(run.run_id, "begin 3"));
  const victim = [first, second].find(({ child }) => child.pid === journal(run.run_id)[0]?.pid);
  victim?.child.kill("SIGKILL");

  const events = await following;
  expect(events.map(({ id }) => Number(id))).toEqual(events.map((_, index) => index));
  expect(events.filter(({ event }) => event === "metadata").map(({ data }) => (data as { attempt: number }).attempt)).toEqual([1, 2]);
  expect(await client.runs.get(threadId, run.run_id)).toMatchObject({ status: "success" });
  expect(await client.threads.get(threadId)).toMatchObject({ values: { done: 6 } });
  const finished = Object.entries(counts(run.run_id)).filter(([what]) => what.startsWith("end"));
  expect(finished).toEqual([0, 1, 2, 3, 4, 5].map((n) => [`end ${n}`, 1]));
  expect(counts(run.run_id)).toMatchObject({ "begin 2": 1, "begin 3": 2 });
  for (const worker of [first, second]) worker.child.kill("SIGKILL");
});

test("when no worker lives, one that starts goes on at once", async () => {
  const dying = await startWorker();
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "relay", { input: { steps: 3, stepMs: 300 }, config });
  await until(begun(run.run_id, "begin 1"));
  dying.child.kill("SIGKILL");
  await dying.exited;
  const next = await startWorker();
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ done: 3 });
  expect(await rowOf(run.run_id)).toMatchObject({ status: "success", attempt: 2 });
  expect(counts(run.run_id)).toMatchObject({ "end 0": 1, "begin 1": 2 });
  await next.stop();
});

test.each(["parts", "parts-inside"])("parallel tasks that had finished are not run again (%s)", async (graphId) => {
  const dying = await startWorker();
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, graphId, { input: { slowPart: "b" }, config });
  await until(async () => {
    const { rows } = await db.query(
      "select 1 from checkpoint_writes where thread_id = $1 and convert_from(blob, 'utf8') in ('[\"a\"]', '[\"c\"]')",
      [threadId],
    );
    return rows.length === 2;
  });
  dying.child.kill("SIGKILL");
  const next = await startWorker();
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ parts: ["a", "b", "c"] });
  expect(counts(run.run_id)).toEqual({ "begin a": 1, "end a": 1, "begin b": 2, "end b": 1, "begin c": 1, "end c": 1 });
  await next.stop();
});

test("an answer that was being worked on is given once, after a crash too", async () => {
  const dying = await startWorker();
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "asking", { input: { steps: 1 }, config });
  const run = await client.runs.create(threadId, "asking", { command: { resume: "one" }, config });
  await until(begun(run.run_id, "heard one"));
  dying.child.kill("SIGKILL");
  const next = await startWorker();
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ __interrupt__: [{ value: "second?" }] });
  expect(journal(run.run_id).map(({ what }) => what)).toEqual(["heard one", "heard one"]);
  expect(await client.runs.wait(threadId, "asking", { command: { resume: "two" }, config })).toMatchObject({ answer: "one two" });
  await next.stop();
});

test("an effect that was completed is not done again, and its key is the same in every attempt", async () => {
  const dying = await startWorker();
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "paying", { input: { steps: 1 }, config });
  await until(begun(run.run_id, "after payment"));
  dying.child.kill("SIGKILL");
  await startWorker();
  const { answer } = (await client.runs.join(threadId, run.run_id)) as { answer: string };
  expect(answer).toMatch(new RegExp(`^${run.run_id}/[0-9a-f-]+/pay$`));
  expect(counts(run.run_id)).toEqual({ [`paid ${answer}`]: 1, "after payment": 2 });
  await expect(client.runs.wait(threadId, "paying", { input: { steps: 1 }, config, durability: "exit" })).rejects.toThrow(
    'needs durability "sync"',
  );
});

test("a run that began at a fork goes on in the fork", async () => {
  const dying = await startWorker();
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "relay", { input: { steps: 3, stepMs: 10 }, config });
  const afterOne = (await client.threads.getHistory<{ done: number }>(threadId)).find(({ values }) => values.done === 1)!;
  const run = await client.runs.create(threadId, "relay", {
    input: null,
    checkpointId: afterOne.checkpoint!.checkpoint_id!,
    config: { configurable: { ...config.configurable } },
  });
  await until(begun(run.run_id, "end 1"));
  dying.child.kill("SIGKILL");
  const next = await startWorker();
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ done: 3 });
  expect(Object.keys(counts(run.run_id))).toEqual(expect.arrayContaining(["end 1", "end 2"]));
  expect(Object.keys(counts(run.run_id))).not.toContain("begin 0");
  await next.stop();
});

test("a worker that was stopped past its lease has lost its runs, and writes nothing when it goes on", async () => {
  const stopped = await startWorker();
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "relay", { input: { steps: 8, stepMs: 400 }, config, streamMode: ["updates"] });
  await until(begun(run.run_id, "begin 1"));
  stopped.child.kill("SIGSTOP");
  const other = await startWorker();
  await until(async () => (await rowOf(run.run_id)).attempt === 2);
  stopped.child.kill("SIGCONT");
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ done: 8 });
  expect(await rowOf(run.run_id)).toMatchObject({ crashes: 0 }); // nobody died

  const { rows } = await db.query(
    "select metadata ->> 'run_attempt' as attempt, metadata ->> 'step' as step from checkpoints where run_id = $1 order by checkpoint_id",
    [run.run_id],
  );
  const attempts = rows.map(({ attempt }) => Number(attempt));
  expect(attempts).toEqual(attempts.toSorted((a, b) => a - b));
  expect(new Set(rows.map(({ step }) => step)).size).toBe(rows.length);
  const events = await collect(client.runs.joinStream(threadId, run.run_id));
  expect(events.filter(({ event }) => event === "updates")).toHaveLength(8);
  await until(() => stopped.output().includes('"outcome":"lost"'));
  await Promise.all([stopped.stop(), other.stop()]);
});

test.each(["relay", "relay-inside"])(
  "a drained worker gives its runs back (%s): they go on elsewhere, no step is repeated and no crash is counted",
  async (graphId) => {
    const leaving = await startWorker();
    const runs = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const { thread_id: threadId } = await client.threads.create();
        return client.runs.create(threadId, graphId, { input: { steps: 15, stepMs: 200 }, config });
      }),
    );
    await until(() => runs.every(({ run_id }) => begun(run_id, "begin 1")()));
    expect(await leaving.stop()).toBe(0);
    const next = await startWorker();
    for (const { thread_id, run_id } of runs) {
      expect(await client.runs.join(thread_id, run_id)).toMatchObject({ done: 15 });
      expect(await rowOf(run_id)).toMatchObject({ status: "success", crashes: 0, attempt: 2 });
      expect(Object.values(counts(run_id))).toEqual(Array.from({ length: 30 }, () => 1));
    }
    await next.stop();
  },
);

test("a run is cancelled although its worker has died, or is on its way out", async () => {
  const start = async () => {
    const { thread_id: threadId } = await client.threads.create();
    const run = await client.runs.create(threadId, "relay", { input: { steps: 4, stepMs: 700 }, config });
    await until(begun(run.run_id, "begin 1"));
    return run;
  };
  const dying = await startWorker();
  const orphan = await start();
  dying.child.kill("SIGKILL");
  await client.runs.cancel(orphan.thread_id, orphan.run_id);
  const leaving = await startWorker();
  await client.runs.join(orphan.thread_id, orphan.run_id);
  const drained = await start();
  const left = leaving.stop();
  await client.runs.cancel(drained.thread_id, drained.run_id);
  await left;
  const next = await startWorker();
  await client.runs.join(drained.thread_id, drained.run_id);

  for (const { thread_id, run_id } of [orphan, drained]) {
    expect(await rowOf(run_id)).toMatchObject({ status: "interrupted" });
    expect(counts(run_id)["begin 3"]).toBeUndefined();
    expect(await client.threads.get(thread_id)).toMatchObject({ status: "idle" });
  }
  await next.stop();
});

test("a run that kills its workers ends in error; its neighbours do not", async () => {
  let deaths = 0;
  let supervising = true;
  const supervise = async () => {
    while (supervising) {
      const worker = await startWorker({ N_JOBS_PER_WORKER: "30" });
      const ended = await Promise.race([worker.exited.then(() => true), until(() => !supervising).then(() => false)]);
      if (ended) deaths += 1;
      else await worker.stop();
    }
  };
  const innocents = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const { thread_id: threadId } = await client.threads.create();
      return client.runs.create(threadId, "relay", { input: { steps: 1, stepMs: 800 }, config });
    }),
  );
  const { thread_id: threadId } = await client.threads.create();
  const killer = await client.runs.create(threadId, "killer", { input: { steps: 1 } });
  const supervision = supervise();
  const outcome = await client.runs.join(threadId, killer.run_id);
  expect(outcome).toMatchObject({ __error__: { error: "WorkerCrashError", message: expect.stringContaining("died 3 times") } });
  for (const { thread_id, run_id } of innocents) expect(await client.runs.join(thread_id, run_id)).toMatchObject({ done: 1 });
  expect(deaths).toBe(3);
  expect(await client.threads.get(threadId)).toMatchObject({ status: "error" });
  expect(await client.runs.wait(threadId, "steps", { input: {} })).toMatchObject({ last: "three" });
  supervising = false;
  await supervision;
}, 120_000);

test("a node that blocks the event loop keeps its lease, and is named", async () => {
  const [one, two] = [await startWorker(), await startWorker()];
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "blocker", { input: { stepMs: 5_000 } });
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ done: 1 });
  expect(await rowOf(run.run_id)).toMatchObject({ status: "success", attempt: 1 });
  const report = () => `${one.output()}${two.output()}`.split("\n").find((line) => line.includes("the event loop stood still"));
  await until(() => report() !== undefined);
  const { blocked_ms: ms, nodes } = JSON.parse(report() ?? "");
  expect(ms).toBeGreaterThan(4_000);
  expect(nodes[0]).toMatchObject({ node: "block", run_id: run.run_id });
  await Promise.all([one.stop(), two.stop()]);
});

test("a run that takes too long ends as timeout", async () => {
  await startWorker({ BG_JOB_TIMEOUT_SECS: "1" });
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "relay", { input: { steps: 1, stepMs: 20_000 }, config });
  const events = await collect(client.runs.joinStream(threadId, run.run_id));
  expect(events.at(-1)).toMatchObject({ event: "error", data: { error: "TimeoutError" } });
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ __error__: { error: "TimeoutError" } });
  expect(await rowOf(run.run_id)).toMatchObject({ status: "timeout" });
  expect(await client.threads.get(threadId)).toMatchObject({ status: "error" });
});

test("a run whose worker cannot see to its time limit is ended by another's sweep", async () => {
  const busy = await startWorker({ BG_JOB_TIMEOUT_SECS: "1", N_JOBS_PER_WORKER: "1" });
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "blocker", { input: { stepMs: 25_000 } });
  await until(async () => (await rowOf(run.run_id)).status === "running");
  await startWorker({ BG_JOB_TIMEOUT_SECS: "1" });
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ __error__: { error: "TimeoutError" } });
  expect(await rowOf(run.run_id)).toMatchObject({ status: "timeout", attempt: 1 });
  expect(busy.child.exitCode).toBeNull();
});
