import { expect, test } from "vitest";
import { startTestService } from "../service.ts";

const { client, fetch, db } = await startTestService();

type Log = { log: string[]; last: string };

async function finishedThread(): Promise<string> {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "steps", { input: {} });
  return threadId;
}

test("a thread without a graph has an empty state, which cannot be updated", async () => {
  const { thread_id: threadId } = await client.threads.create();
  expect(await client.threads.getState(threadId)).toEqual({
    values: {},
    next: [],
    tasks: [],
    created_at: null,
    checkpoint: null,
    parent_checkpoint: null,
  });
  expect(await client.threads.getHistory(threadId)).toEqual([]);
  await expect(client.threads.updateState(threadId, { values: { x: 1 } })).rejects.toThrow(`HTTP 400: Thread ${threadId} has no graph ID`);
});

test("the history goes from the newest state to the input, and says which run made it", async () => {
  const threadId = await finishedThread();
  const [run] = await client.runs.list(threadId);
  const history = await client.threads.getHistory<Log>(threadId, { limit: 10 });
  expect(history.map(({ next }) => next)).toEqual([[], ["three"], ["two"], ["one"], ["__start__"]]);
  expect(history[0]).toMatchObject({
    values: { last: "three" },
    metadata: {
      source: "loop",
      step: 3,
      run_id: run!.run_id,
      graph_id: "steps",
      assistant_id: run!.assistant_id,
      thread_id: threadId,
      run_attempt: 1,
    },
    parent_checkpoint: { checkpoint_id: history[1]!.checkpoint!.checkpoint_id },
  });
  expect(await client.threads.getHistory(threadId, { limit: 2 })).toHaveLength(2);
  expect(await client.threads.getHistory(threadId, { metadata: { step: 1 } })).toHaveLength(1);
});

test("before is accepted as an id, as a checkpoint and as a config", async () => {
  const threadId = await finishedThread();
  const history = await client.threads.getHistory(threadId);
  const checkpoint = history[1]!.checkpoint!;
  for (const before of [checkpoint.checkpoint_id, checkpoint, { configurable: { checkpoint_id: checkpoint.checkpoint_id } }]) {
    const response = await fetch(`/threads/${threadId}/history`, { method: "POST", body: JSON.stringify({ before }) });
    expect((await response.json()).map(({ next }: { next: string[] }) => next)).toEqual([["two"], ["one"], ["__start__"]]);
  }
  const byQuery = await fetch(`/threads/${threadId}/history?limit=1&before=${checkpoint.checkpoint_id}`);
  expect(await byQuery.json()).toHaveLength(1);
});

test("an earlier state is read by its checkpoint, by id or by object", async () => {
  const threadId = await finishedThread();
  const [, , second] = await client.threads.getHistory<Log>(threadId);
  const byId = await client.threads.getState<Log>(threadId, second!.checkpoint!.checkpoint_id!);
  expect(byId.values.log).toEqual(["one"]);
  expect(await client.threads.getState(threadId, second!.checkpoint!, { subgraphs: true })).toMatchObject({ values: { log: ["one"] } });
});

test("an update is a step of its own, as the node it is made for", async () => {
  const threadId = await finishedThread();
  const { checkpoint } = (await client.threads.updateState(threadId, { values: { log: ["by hand"] }, asNode: "one" })) as unknown as {
    checkpoint: object;
  };
  expect(checkpoint).toEqual({ thread_id: threadId, checkpoint_ns: "", checkpoint_id: expect.any(String) });
  expect(await client.threads.getState(threadId)).toMatchObject({
    values: { log: ["one", "two", "three", "by hand"] },
    next: ["two"],
    metadata: { source: "update", graph_id: "steps" },
  });
  expect(await client.threads.get(threadId)).toMatchObject({ status: "interrupted", values: { log: ["one", "two", "three", "by hand"] } });
  expect(((await client.runs.wait(threadId, "steps", { input: null })) as Log).log.slice(-2)).toEqual(["two", "three"]);
});

test("a wrong update is refused and changes nothing", async () => {
  const threadId = await finishedThread();
  await expect(client.threads.updateState(threadId, { values: { log: ["x"] }, asNode: "nobody" })).rejects.toThrow(
    'HTTP 422: Node "nobody" does not exist',
  );
  expect(await client.threads.getHistory(threadId)).toHaveLength(5);
});

test("a busy thread cannot be updated", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "slow", { input: { until: 20, tickMs: 50 } });
  await expect(client.threads.updateState(threadId, { values: { ticks: 1 } })).rejects.toThrow("HTTP 409: Thread is busy");
  await client.runs.cancel(threadId, run.run_id, true);
});

test("ten simultaneous updates of a state all happen, one after another", async () => {
  const threadId = await finishedThread();
  await Promise.all(
    Array.from({ length: 10 }, (_, n) => client.threads.updateState(threadId, { values: { log: [`n${n}`] }, asNode: "three" })),
  );
  const { values } = await client.threads.getState<Log>(threadId);
  expect(values.log.slice(3).sort()).toEqual(Array.from({ length: 10 }, (_, n) => `n${n}`));
});

test("a fork from an earlier state is a branch of its own, read back from Postgres", async () => {
  const threadId = await finishedThread();
  const history = await client.threads.getHistory<Log>(threadId);
  const afterOne = history.find(({ next }) => next[0] === "two")!;

  const forked = await client.threads.updateState(threadId, {
    values: { log: ["NEW"], last: "NEW" },
    checkpoint: afterOne.checkpoint!,
    asNode: "one",
  });
  const { checkpoint } = forked as unknown as { checkpoint: { checkpoint_id: string } };
  expect((await client.threads.getState<Log>(threadId, checkpoint.checkpoint_id)).values.log).toEqual(["one", "NEW"]);
  const values = (await client.runs.wait(threadId, "steps", {
    input: null,
    checkpoint: { ...afterOne.checkpoint!, checkpoint_id: checkpoint.checkpoint_id },
  })) as Log;
  expect(values.log).toEqual(["one", "NEW", "two", "three"]);
  expect((await client.threads.getState<Log>(threadId)).values.log).toEqual(["one", "NEW", "two", "three"]);
  expect((await client.threads.getState<Log>(threadId, history[0]!.checkpoint!.checkpoint_id!)).values.log).toEqual([
    "one",
    "two",
    "three",
  ]);
});

test("a run from an earlier checkpoint repeats only what came after it, and the next run does not fork again", async () => {
  const threadId = await finishedThread();
  const afterTwo = (await client.threads.getHistory<Log>(threadId)).find(({ next }) => next[0] === "three")!;
  const replayed = (await client.runs.wait(threadId, "steps", { input: null, checkpointId: afterTwo.checkpoint!.checkpoint_id! })) as Log;
  expect(replayed.log).toEqual(["one", "two", "three"]);
  const next = (await client.runs.wait(threadId, "steps", { input: {} })) as Log;
  expect(next.log).toEqual(["one", "two", "three", "one", "two", "three"]);
  const stored = await db.query("select config from threads where thread_id = $1", [threadId]);
  expect(JSON.stringify(stored.rows[0].config)).not.toContain("checkpoint");
});

test.each(["sync", "async", "exit"] as const)("durability %s ends the same, with the checkpoints it promises", async (durability) => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "steps", { input: {}, durability });
  const history = await client.threads.getHistory<Log>(threadId);
  expect(history[0]?.values.log).toEqual(["one", "two", "three"]);
  expect(history).toHaveLength(durability === "exit" ? 1 : 5);
});

test("a state's metadata is merged, and its values stay", async () => {
  const threadId = await finishedThread();
  await client.threads.patchState(threadId, { reviewed: true });
  expect(await client.threads.getState(threadId)).toMatchObject({
    values: { last: "three" },
    metadata: { reviewed: true, step: 3, graph_id: "steps" },
  });
  expect(await client.threads.getHistory(threadId, { metadata: { reviewed: true } })).toHaveLength(1);
  const { thread_id: empty } = await client.threads.create();
  await expect(client.threads.patchState(empty, {})).rejects.toThrow("HTTP 404");
});

test("a subgraph's place is its thread and namespace, without keys that are not set", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "nested", { input: { text: "you", ask: true } });
  const { tasks } = await client.threads.getState(threadId);
  expect(tasks[0]?.checkpoint).toEqual({ thread_id: threadId, checkpoint_ns: expect.stringMatching(/^child:/) });
  expect(tasks[0]?.interrupts).toHaveLength(1);
});
