import type { ThreadState } from "@langchain/langgraph-sdk";
import { expect, test } from "vitest";
import { type Kept, pruneCheckpoints } from "../../src/checkpoints/prune.ts";
import { transaction } from "../../src/db/sql.ts";
import { startTestService } from "../service.ts";

const { client, db } = await startTestService();

const newThread = async () => (await client.threads.create()).thread_id;
const run = (threadId: string, graph: string, payload: object) => client.runs.wait(threadId, graph, payload);
const history = (threadId: string) => client.threads.getHistory(threadId, { limit: 1_000 });
const rowsOf = async (table: string, threadId: string) =>
  Number((await db.query(`select count(*) from ${table} where thread_id = $1`, [threadId])).rows[0].count);
const checkpointIds = (states: ThreadState[]) => states.map(({ checkpoint }) => checkpoint.checkpoint_id);

/** Counts the rows that no checkpoint refers to. */
async function countOrphans(threadId: string): Promise<number> {
  const { rows } = await db.query(
    `select (select count(*) from checkpoint_writes w where thread_id = $1 and not exists (
               select from checkpoints c where (c.thread_id, c.checkpoint_ns, c.checkpoint_id) = (w.thread_id, w.checkpoint_ns, w.checkpoint_id)))
          + (select count(*) from checkpoint_blobs b where thread_id = $1 and not exists (
               select from checkpoints c where (c.thread_id, c.checkpoint_ns) = (b.thread_id, b.checkpoint_ns)
                  and c.checkpoint -> 'channel_versions' ->> b.channel = b.version)) as count`,
    [threadId],
  );
  return Number(rows[0].count);
}

/** Prunes the checkpoints of a thread as the sweeper does. */
const trim = (threadId: string, kept: Kept) => transaction(db, (tx) => pruneCheckpoints(tx, [threadId], kept));

/** The two ways to prune checkpoints of a thread that stays. */
const ways: [name: string, prune: (threadId: string) => Promise<unknown>][] = [
  ["keep_latest", (threadId) => client.threads.prune([threadId], { strategy: "keep_latest" })],
  ["keeping one checkpoint", (threadId) => trim(threadId, { newest: 1 })],
];

test("pruning deletes each given thread once and does not count missing threads", async () => {
  const [one, two, spared] = [await newThread(), await newThread(), await newThread()];
  await run(one, "steps", { input: {} });
  expect(await client.threads.prune([one, two, one, crypto.randomUUID()])).toEqual({ pruned_count: 2 });
  await expect(client.threads.get(one)).rejects.toThrow(`Thread with ID ${one} not found`);
  for (const table of ["checkpoints", "checkpoint_blobs", "checkpoint_writes", "runs"]) expect(await rowsOf(table, one)).toBe(0);
  expect(await client.threads.get(spared)).toMatchObject({ thread_id: spared });
  expect(await client.threads.prune([])).toEqual({ pruned_count: 0 });
});

test.each(["delete", "keep_latest"] as const)("%s does not touch a thread with a pending or running run", async (strategy) => {
  const [pending, running] = [await newThread(), await newThread()];
  for (const threadId of [pending, running]) await run(threadId, "steps", { input: {} });
  const waiting = await client.runs.create(pending, "steps", { input: {}, afterSeconds: 600 });
  const ticking = await client.runs.create(running, "slow", { input: { until: 4, tickMs: 100 } });
  for await (const { event } of client.runs.joinStream(running, ticking.run_id)) if (event === "metadata") break;

  const before = await rowsOf("checkpoints", pending);
  expect(await client.threads.prune([pending, running], { strategy })).toEqual({ pruned_count: 0 });
  expect(await rowsOf("checkpoints", pending)).toBe(before);
  expect(await client.runs.join(running, ticking.run_id)).toMatchObject({ ticks: 4 });
  expect(await client.runs.get(pending, waiting.run_id)).toMatchObject({ status: "pending" });
});

test("a run that is being created while its thread is to be pruned comes first", async () => {
  const threadId = await newThread();
  await run(threadId, "steps", { input: {} });
  const creator = await db.connect();
  await creator.query("begin");
  await creator.query("select 1 from threads where thread_id = $1 for no key update", [threadId]);
  await creator.query(
    `insert into runs (run_id, thread_id, assistant_id, multitask_strategy, metadata, kwargs, run_at, events_kept_secs)
     select gen_random_uuid(), thread_id, assistant_id, multitask_strategy, metadata, kwargs, now() + interval '1 day', 0
       from runs where thread_id = $1`,
    [threadId],
  );
  const pruned = client.threads.prune([threadId]);
  const waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  await expect.poll(async () => (await db.query(waiting)).rowCount).toBe(1);
  await creator.query("commit");
  creator.release();
  expect(await pruned).toEqual({ pruned_count: 0 });
  expect(await client.threads.get(threadId)).toMatchObject({ status: "busy", values: { last: "three" } });
});

test.each(ways)("%s leaves a finished thread its state, and the ability to go on and to be forked", async (_, prune) => {
  const threadId = await newThread();
  for (const log of ["a", "b", "c"]) await run(threadId, "steps", { input: { log: [log] } });
  const { parent_checkpoint: _parent, ...before } = await client.threads.getState(threadId);
  await prune(threadId);

  const states = await history(threadId);
  expect(states).toMatchObject([before]);
  expect(await client.threads.getState(threadId)).toMatchObject(before);
  expect(await client.threads.get(threadId)).toMatchObject({ status: "idle", values: { last: "three" } });
  expect(await countOrphans(threadId)).toBe(0);

  const forked = (await run(threadId, "steps", { input: { log: ["d"] }, checkpointId: checkpointIds(states)[0] })) as { log: string[] };
  expect(forked.log).toHaveLength(16);
  await client.threads.updateState(threadId, { values: { last: "mine" }, asNode: "three" });
  expect((await client.threads.getState(threadId)).values).toMatchObject({ last: "mine" });
});

test.each(ways)(
  "%s leaves an interrupted thread its question, in its subgraph too, and the answer goes on from there",
  async (_, prune) => {
    const threadId = await newThread();
    await run(threadId, "nested", { input: { text: "before" } });
    await run(threadId, "nested", { input: { text: "you", ask: true } });
    const before = await client.threads.getState(threadId, undefined, { subgraphs: true });
    const { interrupts } = await client.threads.get(threadId);
    await prune(threadId);

    const after = await client.threads.getState(threadId, undefined, { subgraphs: true });
    expect({ ...after, parent_checkpoint: null, tasks: [] }).toEqual({ ...before, parent_checkpoint: null, tasks: [] });
    expect(after.tasks[0]?.state?.values).toEqual(before.tasks[0]?.state?.values);
    expect(await client.threads.get(threadId)).toMatchObject({ status: "interrupted", interrupts });
    expect(await run(threadId, "nested", { command: { resume: "indeed" } })).toEqual({ text: "HELLO YOU indeed", ask: true });
  },
);

test.each(ways)("%s keeps the answers that a thread got already", async (_, prune) => {
  const threadId = await newThread();
  await run(threadId, "two-questions", { input: {} });
  const interrupts = Object.values((await client.threads.get(threadId)).interrupts).flat();
  const [first, second] = interrupts.map(({ id }) => id ?? "") as [string, string];
  await run(threadId, "two-questions", { command: { resume: { [first]: "early" } } });
  await prune(threadId);
  await run(threadId, "two-questions", { command: { resume: { [second]: "late" } } });
  const { values } = await client.threads.getState<{ answers: string[] }>(threadId);
  expect(values.answers).toEqual(expect.arrayContaining([expect.stringContaining("early"), expect.stringContaining("late")]));
});

test("the newest N stay as they were, whichever branch they are on, and each can be forked", async () => {
  const threadId = await newThread();
  await run(threadId, "steps", { input: { log: ["a"] } });
  const [, , early] = await history(threadId);
  await run(threadId, "steps", { input: null, checkpointId: early?.checkpoint.checkpoint_id });
  await run(threadId, "steps", { input: { log: ["b"] } });
  const before = await history(threadId);
  await trim(threadId, { newest: 6 });

  const after = await history(threadId);
  expect(after).toEqual(before.slice(0, 6));
  expect(await countOrphans(threadId)).toBe(0);
  for (const checkpointId of checkpointIds(after)) await run(threadId, "steps", { input: null, checkpointId });
  await expect(run(threadId, "steps", { input: null, checkpointId: before[6]?.checkpoint.checkpoint_id })).rejects.toThrow("not found");
});

test("what a subgraph stored goes with the root checkpoint it belongs to, and with keep_latest its newest stays", async () => {
  const [trimmed, latest] = [await newThread(), await newThread()];
  const namespaces = async (threadId: string) =>
    (await db.query("select distinct checkpoint_ns as ns from checkpoints where thread_id = $1 and checkpoint_ns <> ''", [threadId]))
      .rowCount;
  for (const threadId of [trimmed, latest]) for (const text of ["one", "two"]) await run(threadId, "nested", { input: { text } });
  expect(await namespaces(trimmed)).toBe(2);
  await trim(trimmed, { newest: 3 }); // the last checkpoint of the last run, and the two before it, one of which started the subgraph
  expect(await namespaces(trimmed)).toBe(1);
  await trim(trimmed, { newest: 1 });
  expect(await namespaces(trimmed)).toBe(0);

  await client.threads.prune([latest], { strategy: "keep_latest" });
  expect(await rowsOf("checkpoints", latest)).toBe(3);
  expect([await countOrphans(trimmed), await countOrphans(latest)]).toEqual([0, 0]);
});

test.each(ways)("%s leaves a subgraph its memory, even when the last runs did not ask it", async (_, prune) => {
  const threadId = await newThread();
  for (const input of [{ text: "a" }, { text: "b" }, { quiet: true }, { quiet: true }]) await run(threadId, "remembering", { input });
  await prune(threadId);
  expect(await run(threadId, "remembering", { input: { text: "c", quiet: false } })).toMatchObject({ heard: ["a", "b", "c"] });
});

/** Returns the present items of the DeltaChannel `log`. */
const deltaState = async (threadId: string) => (await client.threads.getState<{ log: string[] }>(threadId)).values.log;
const rounds = (count: number) => Array.from({ length: count }, () => ["one", "two"]).flat();

test.each(ways)("%s keeps the checkpoints from which a DeltaChannel is rebuilt, and deletes all others", async (_, prune) => {
  const threadId = await newThread();
  for (let round = 0; round < 5; round++) await run(threadId, "snapshots", { input: {} });
  const [before, ...older] = await history(threadId);
  const rows = await rowsOf("checkpoints", threadId);
  await prune(threadId);
  expect(await rowsOf("checkpoints", threadId)).toBeLessThan(6);
  expect(rows).toBe(20);

  const states = await history(threadId);
  expect(states[0]).toMatchObject({ values: { log: rounds(5) }, checkpoint: before?.checkpoint ?? {} });
  for (const { values, checkpoint } of states) expect([before, ...older]).toContainEqual(expect.objectContaining({ values, checkpoint }));
  expect(await countOrphans(threadId)).toBe(0);
  expect(await run(threadId, "snapshots", { input: {} })).toMatchObject({ log: rounds(6) });
});

test.each(ways)("%s deletes nothing while a DeltaChannel needs all of it, and again prunes after the next snapshot", async (_, prune) => {
  const threadId = await newThread();
  for (let round = 0; round < 2; round++) await run(threadId, "deltas", { input: {} });
  const before = await rowsOf("checkpoints", threadId);
  await prune(threadId);
  expect(await rowsOf("checkpoints", threadId)).toBe(before);
  expect(await run(threadId, "deltas", { input: {} })).toMatchObject({ log: rounds(3) });
  for (let round = 3; round < 5; round++) await run(threadId, "snapshots", { input: {} });
  await prune(threadId);
  expect(await rowsOf("checkpoints", threadId)).toBeLessThan(before);
  expect(await deltaState(threadId)).toEqual(rounds(5));
});

test("pruning a thread with a DeltaChannel counts it", async () => {
  const threadId = await newThread();
  await run(threadId, "deltas", { input: {} });
  expect(await client.threads.prune([threadId], { strategy: "keep_latest" })).toEqual({ pruned_count: 1 });
});

test.each(ways)("%s keeps what a person wrote into a DeltaChannel, however often it prunes", async (_, prune) => {
  for (const graph of ["deltas", "snapshots", "every-step"]) {
    const threadId = await newThread();
    for (let round = 0; round < 3; round++) await run(threadId, graph, { input: {} });
    await client.threads.updateState(threadId, { values: { log: ["mine"] }, asNode: "two" });
    for (let time = 0; time < 3; time++) {
      await prune(threadId);
      expect([graph, await deltaState(threadId)]).toEqual([graph, [...rounds(3), "mine"]]);
    }
    expect(await run(threadId, graph, { input: {} })).toMatchObject({ log: [...rounds(3), "mine", "one", "two"] });
  }
});

test.each(ways)("%s keeps a DeltaChannel that was only ever updated by a person", async (_, prune) => {
  const threadId = await newThread();
  await client.threads.update(threadId, { metadata: { graph_id: "deltas" } });
  for (const word of ["a", "b", "c"]) await client.threads.updateState(threadId, { values: { log: [word] }, asNode: "one" });
  const before = await deltaState(threadId);
  expect(before).toEqual(expect.arrayContaining(["b", "c"])); // LangGraph loses the first update of a thread without a checkpoint
  for (let time = 0; time < 2; time++) await prune(threadId);
  expect(await deltaState(threadId)).toEqual(before);
});

test.each(ways)("%s keeps the writes of runs that store only their last checkpoint", async (_, prune) => {
  const threadId = await newThread();
  for (let round = 0; round < 3; round++) await run(threadId, "snapshots", { input: {}, durability: "exit" });
  for (let time = 0; time < 2; time++) await prune(threadId);
  expect(await deltaState(threadId)).toEqual(rounds(3));
  expect(await run(threadId, "snapshots", { input: {}, durability: "exit" })).toMatchObject({ log: rounds(4) });
});

test.each(ways)("%s works whatever a client stores under the key of LangGraph's DeltaChannel counters", async (_, prune) => {
  const forged = { counters_since_delta_snapshot: 5 };
  const [byRun, byPatch, byRow] = [await newThread(), await newThread(), await newThread()];
  await run(byRun, "steps", { input: { log: ["a"] }, metadata: forged });
  await run(byRun, "steps", { input: { log: ["b"] }, config: { configurable: forged } });
  for (const threadId of [byPatch, byRow]) await run(threadId, "snapshots", { input: {} });
  await client.threads.patchState(byPatch, { ...forged, note: "mine" });
  await db.query(`update checkpoints set metadata = metadata || '{"counters_since_delta_snapshot": "old"}' where thread_id = $1`, [byRow]);

  const { rows } = await db.query(
    `select distinct jsonb_typeof(metadata -> 'counters_since_delta_snapshot') as type, metadata ->> 'note' as note
       from checkpoints where thread_id = any($1) order by type, note`,
    [[byRun, byPatch]],
  );
  expect(rows).toEqual([
    { type: "object", note: "mine" },
    { type: "object", note: null },
    { type: null, note: null },
  ]);
  for (const threadId of [byRun, byPatch, byRow]) {
    const before = await deltaState(threadId);
    await prune(threadId);
    expect(await deltaState(threadId)).toEqual(before);
  }
  for (const threadId of [byPatch, byRow]) expect(await run(threadId, "snapshots", { input: {} })).toMatchObject({ log: rounds(2) });
  const [newest] = await client.runs.list(byRow);
  await client.runs.delete(byRow, newest?.run_id ?? "");
  expect(await deltaState(byRow)).toEqual(rounds(1));
});

test.each([[{ log: 5 }], [{ log: { log: 5 } }], [{ log: [1] }], ["old"]])(
  "a run continues although an earlier release stored %j as the counters of DeltaChannels",
  async (counters) => {
    const threadId = await newThread();
    await run(threadId, "snapshots", { input: {} });
    await db.query(
      "update checkpoints set metadata = metadata || jsonb_build_object('counters_since_delta_snapshot', $2::jsonb) where thread_id = $1",
      [threadId, JSON.stringify(counters)],
    );
    expect(await run(threadId, "snapshots", { input: {} })).toMatchObject({ log: rounds(2) });
    const { rows } = await db.query(
      `select distinct counter.key, jsonb_typeof(counter.value) as type
         from checkpoints cross join jsonb_each(metadata -> 'counters_since_delta_snapshot') counter
        where thread_id = $1 and run_id = (select run_id from runs where runs.thread_id = $1::uuid order by seq desc limit 1)`,
      [threadId],
    );
    expect(rows).toEqual([{ key: "log", type: "array" }]);
  },
);

test.each(ways)("%s keeps the DeltaChannel of a subgraph, and the branch of a fork only", async (_, prune) => {
  const [threadId, untouched] = [await newThread(), await newThread()];
  for (const id of [threadId, untouched]) for (let round = 0; round < 4; round++) await run(id, "deltas-inside", { input: {} });
  await prune(threadId);
  expect(await rowsOf("checkpoints", threadId)).toBeLessThan(await rowsOf("checkpoints", untouched));
  expect(await run(threadId, "deltas-inside", { input: {} })).toEqual(await run(untouched, "deltas-inside", { input: {} }));

  const forked = await newThread();
  for (let round = 0; round < 2; round++) await run(forked, "deltas", { input: {} });
  const states = await history(forked);
  const first = states.find(({ values, next }) => next.length === 0 && (values as { log: string[] }).log.length === 2);
  await run(forked, "deltas", { input: {}, checkpointId: first?.checkpoint.checkpoint_id });
  const log = await deltaState(forked);
  await prune(forked);
  expect(await rowsOf("checkpoints", forked)).toBe(8); // four of the first run, and four of the fork
  expect(await deltaState(forked)).toEqual(log);
});

test("a run can be deleted although later runs build on its changes of a DeltaChannel", async () => {
  for (const graph of ["deltas", "snapshots", "every-step"]) {
    const threadId = await newThread();
    for (let round = 0; round < 4; round++) await run(threadId, graph, { input: {} });
    const [last, third, second, first] = (await client.runs.list(threadId)).map(({ run_id }) => run_id) as [string, string, string, string];
    for (const runId of [second, third, first]) {
      await client.runs.delete(threadId, runId);
      expect([graph, await deltaState(threadId)]).toEqual([graph, rounds(4)]);
    }
    expect(await run(threadId, graph, { input: {} })).toMatchObject({ log: rounds(5) });
    const newest = (await client.runs.list(threadId))[0]?.run_id ?? "";
    await client.runs.delete(threadId, newest);
    expect([graph, await deltaState(threadId)]).toEqual([graph, rounds(4)]);
    await client.runs.delete(threadId, last);
    expect(await deltaState(threadId)).not.toEqual(rounds(4));
    for (let round = 0; round < 2; round++) await run(threadId, "every-step", { input: {} });
    await client.threads.prune([threadId], { strategy: "keep_latest" }); // values that runs shared go with the next pruning
    expect(await countOrphans(threadId)).toBe(0);
  }
});

test("a run can be deleted after its checkpoints were reduced, and what is then left over goes with the next reduction", async () => {
  const threadId = await newThread();
  await run(threadId, "review", { input: { topic: "rivers" } });
  await run(threadId, "review", { command: { resume: { approved: true } } });
  await client.threads.prune([threadId], { strategy: "keep_latest" });
  const [answered] = await client.runs.list(threadId);
  await client.runs.delete(threadId, answered?.run_id ?? "");
  expect(await client.threads.getState(threadId)).toMatchObject({ values: {}, next: [] });

  expect(await run(threadId, "review", { input: { topic: "seas" } })).toMatchObject({ __interrupt__: [{ value: { draft: "On seas" } }] });
  await client.threads.prune([threadId], { strategy: "keep_latest" });
  expect(await countOrphans(threadId)).toBe(0);
});
