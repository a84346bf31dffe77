import { expect, test, vi } from "vitest";
import { startCluster, until } from "../cluster-of-processes.ts";
import { collect } from "../sse.ts";

vi.setConfig({ testTimeout: 240_000 });

const { client, fetch, db, startWorker, aWorker, journal, journalFile, rowOf, begun, counts } = await startCluster();
const config = { configurable: { journal: journalFile } };

test("if a worker is killed in a node, another worker and the clients' streams continue from the last checkpoint", async () => {
  const patient = { ENSEMBLE_LEASE_SECS: "300" }; // the lease is so long that only the lock can show that the worker is dead
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

  const { attempts } = await (await fetch(`/threads/${threadId}/runs/${run.run_id}/timeline`)).json();
  expect(attempts.map(({ attempt, outcome }: { attempt: number; outcome: string }) => [attempt, outcome])).toEqual([
    [1, "crashed"],
    [2, "success"],
  ]);
  expect(attempts[0]).toMatchObject({ pid: victim?.child.pid, spans: [{ name: "step" }, { name: "step" }, { name: "step" }] });
  expect(attempts[1].spans).toHaveLength(3);
  expect(attempts[1].claimed_at >= attempts[0].ended_at && attempts[0].ended_at >= attempts[0].spans[2].ended_at).toBe(true);
  for (const worker of [first, second]) worker.child.kill("SIGKILL");
});

test("if no worker is alive, a new worker continues the runs at once", async () => {
  const dying = await aWorker();
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "relay", { input: { steps: 3, stepMs: 300 }, config });
  await until(begun(run.run_id, "begin 1"));
  dying.child.kill("SIGKILL");
  await dying.exited;
  await aWorker();
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ done: 3 });
  expect(await rowOf(run.run_id)).toMatchObject({ status: "success", attempt: 2 });
  expect(counts(run.run_id)).toMatchObject({ "end 0": 1, "begin 1": 2 });
});

test.each(["parts", "parts-inside"])("parallel tasks that had finished are not run again (%s)", async (graphId) => {
  const dying = await aWorker();
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
  await aWorker();
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ parts: ["a", "b", "c"] });
  expect(counts(run.run_id)).toEqual({ "begin a": 1, "end a": 1, "begin b": 2, "end b": 1, "begin c": 1, "end c": 1 });
});

test("an answer to an interrupt is used once, even if the worker crashes meanwhile", async () => {
  const dying = await aWorker();
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "asking", { input: { steps: 1 }, config });
  const run = await client.runs.create(threadId, "asking", { command: { resume: "one" }, config });
  await until(begun(run.run_id, "heard one"));
  dying.child.kill("SIGKILL");
  await aWorker();
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ __interrupt__: [{ value: "second?" }] });
  expect(journal(run.run_id).map(({ what }) => what)).toEqual(["heard one", "heard one"]);
  expect(await client.runs.wait(threadId, "asking", { command: { resume: "two" }, config })).toMatchObject({ answer: "one two" });
});

test("an effect that was completed is not done again, and its key is the same in every attempt", async () => {
  const dying = await aWorker();
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "paying", { input: { steps: 1 }, config });
  await until(begun(run.run_id, "after payment"));
  dying.child.kill("SIGKILL");
  await aWorker();
  const { answer } = (await client.runs.join(threadId, run.run_id)) as { answer: string };
  expect(answer).toMatch(new RegExp(`^${run.run_id}/[0-9a-f-]+/pay$`));
  expect(counts(run.run_id)).toEqual({ [`paid ${answer}`]: 1, "after payment": 2 });
  await expect(client.runs.wait(threadId, "paying", { input: { steps: 1 }, config, durability: "exit" })).rejects.toThrow(
    'needs durability "sync"',
  );
});

test("a run that began at a fork goes on in the fork", async () => {
  const dying = await aWorker();
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
  await aWorker();
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ done: 3 });
  expect(Object.keys(counts(run.run_id))).toEqual(expect.arrayContaining(["end 1", "end 2"]));
  expect(Object.keys(counts(run.run_id))).not.toContain("begin 0");
});
