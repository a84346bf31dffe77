import type { Checkpoint } from "@langchain/langgraph-checkpoint";
import { uuid6 } from "@langchain/langgraph-checkpoint";
import { PostgresSaver } from "@langchain/langgraph-checkpoint-postgres";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { copyCheckpoints, lastCheckpointOfRun, patchNewestMetadata } from "../../src/checkpoints/lifecycle.ts";
import { pruneCheckpoints } from "../../src/checkpoints/prune.ts";
import { storeRows } from "../../src/checkpoints/rows.ts";
import { EnsembleSaver } from "../../src/checkpoints/saver.ts";
import { openPool } from "../../src/db/pool.ts";
import { sql, transaction } from "../../src/db/sql.ts";
import { createDatabase } from "../database.ts";
import { graph as steps } from "../graphs/steps.ts";
import { startTestService } from "../service.ts";

const { client, db } = await startTestService();
const url = await createDatabase();
const pool = openPool({ url, size: 5, onError: console.error });
afterAll(() => pool.end());
afterEach(() => void vi.restoreAllMocks());

/** Sets the clock of this process ahead, by a number of seconds. */
function setClock(secondsAhead: number): void {
  vi.restoreAllMocks();
  const now = Date.now.bind(Date);
  vi.spyOn(Date, "now").mockImplementation(() => now() + secondsAhead * 1_000);
}

const withSaver = (checkpointer: PostgresSaver) =>
  Object.assign(Object.create(Object.getPrototypeOf(steps)), steps, { checkpointer }) as typeof steps;
const config = (threadId: string) => ({ configurable: { thread_id: threadId } });

/** Stores a checkpoint as a process with a wrong clock would. Returns the checkpoint's id. */
async function put(threadId: string, secondsAhead: number, { namespace = "", metadata = {} } = {}): Promise<string> {
  setClock(secondsAhead);
  const checkpoint: Checkpoint = { v: 4, id: uuid6(0), ts: "", channel_values: {}, channel_versions: {}, versions_seen: {} };
  const place = { configurable: { thread_id: threadId, checkpoint_ns: namespace } };
  await new EnsembleSaver(pool, metadata).put(place, checkpoint, { source: "loop", step: 0, parents: {} }, {});
  vi.restoreAllMocks();
  return checkpoint.id;
}

async function listed(threadId: string, options: object = {}, namespace = ""): Promise<string[]> {
  const ids: string[] = [];
  const place = { configurable: { thread_id: threadId, checkpoint_ns: namespace } };
  for await (const tuple of new EnsembleSaver(pool).list(place, options)) ids.push(tuple.config.configurable?.checkpoint_id);
  return ids;
}

const before = (id: string) => ({ before: { configurable: { checkpoint_id: id } } });
const newest = async (threadId: string) => (await new EnsembleSaver(pool).getTuple(config(threadId)))?.config.configurable?.checkpoint_id;

test("a run continues from the run before it, though its worker's clock is an hour behind", async () => {
  const threadId = crypto.randomUUID();
  const graph = withSaver(new EnsembleSaver(pool));
  await graph.invoke({ log: ["a"] }, config(threadId));
  setClock(-3_600);
  await graph.invoke({ log: ["b"] }, config(threadId));
  vi.restoreAllMocks();
  const after = await graph.invoke({ log: ["c"] }, config(threadId));
  expect(after.log.filter((word: string) => word.length === 1)).toEqual(["a", "b", "c"]);
});

test("runs over the API keep every result while the clock of the service jumps back and forth", async () => {
  const { thread_id } = await client.threads.create();
  for (const [secondsAhead, word] of [
    [0, "a"],
    [-3_600, "b"],
    [1_800, "c"],
    [-7_200, "d"],
  ] as const) {
    setClock(secondsAhead);
    await client.runs.wait(thread_id, "steps", { input: { log: [word] } });
  }
  vi.restoreAllMocks();
  const { values, checkpoint } = await client.threads.getState<{ log: string[] }>(thread_id);
  expect(values.log.filter((word) => word.length === 1)).toEqual(["a", "b", "c", "d"]);

  const history = await client.threads.getHistory<{ log: string[] }>(thread_id, { limit: 100 });
  const lengths = history.map((state) => state.values.log?.length ?? 0);
  expect(lengths).toEqual(lengths.toSorted((a, b) => b - a));
  expect(history[0]?.checkpoint.checkpoint_id).toBe(checkpoint.checkpoint_id);

  const earlier = await client.threads.getHistory(thread_id, { limit: 100, before: history[7]?.checkpoint as never });
  expect(earlier.map((state) => state.checkpoint.checkpoint_id)).toEqual(history.slice(8).map((state) => state.checkpoint.checkpoint_id));

  const { rows } = await db.query("select count(*) from checkpoints where thread_id = $1 and seq is null", [thread_id]);
  expect(Number(rows[0].count)).toBe(0);
});

test("an update of an earlier state is the newest state, though the clock was set back", async () => {
  const { thread_id } = await client.threads.create();
  await client.runs.wait(thread_id, "steps", { input: { log: ["a"] } });
  const [, , early] = await client.threads.getHistory(thread_id);
  setClock(-3_600);
  await client.threads.updateState(thread_id, { values: { last: "mine" }, checkpointId: early?.checkpoint.checkpoint_id ?? "" });
  vi.restoreAllMocks();
  expect((await client.threads.getState<{ last: string }>(thread_id)).values.last).toBe("mine");
  expect((await client.threads.get(thread_id)).values).toMatchObject({ last: "mine" });
});

test("prune keeps what was stored last, whatever its id says", async () => {
  const threadId = crypto.randomUUID();
  await put(threadId, 0);
  const [second, third] = [await put(threadId, -3_600), await put(threadId, -1_800)];
  await transaction(pool, (tx) => pruneCheckpoints(tx, [threadId], { newest: 2 }));
  expect(await listed(threadId)).toEqual([third, second]);
  await transaction(pool, (tx) => pruneCheckpoints(tx, [threadId], "latest"));
  expect(await listed(threadId)).toEqual([third]);
});

test("a copy of a thread keeps the order of the original", async () => {
  const [threadId, copyId] = [crypto.randomUUID(), crypto.randomUUID()];
  const ids = [await put(threadId, 0), await put(threadId, -3_600), await put(threadId, -1_800)];
  await copyCheckpoints(pool, threadId, copyId);
  expect(await listed(copyId)).toEqual(ids.toReversed());
  const latest = await put(copyId, -9_000);
  expect(await newest(copyId)).toBe(latest);
});

test("the last checkpoint of a run and the newest of a thread are those stored last", async () => {
  const threadId = crypto.randomUUID();
  const runId = crypto.randomUUID();
  await put(threadId, 0);
  const last = await put(threadId, -3_600);
  await pool.query("update checkpoints set run_id = $1 where thread_id = $2", [runId, threadId]);
  expect(await lastCheckpointOfRun(pool, threadId, runId)).toBe(last);
  await patchNewestMetadata(pool, threadId, { mark: true });
  const { rows } = await pool.query("select checkpoint_id from checkpoints where thread_id = $1 and metadata ? 'mark'", [threadId]);
  expect(rows).toEqual([{ checkpoint_id: last }]);
});

test("a checkpoint that is stored again keeps its place", async () => {
  const threadId = crypto.randomUUID();
  const first = await put(threadId, 0);
  const second = await put(threadId, 0);
  const again: Checkpoint = { v: 4, id: first, ts: "", channel_values: {}, channel_versions: {}, versions_seen: {} };
  await new EnsembleSaver(pool).put(config(threadId), again, { source: "loop", step: 1, parents: {} }, {});
  expect(await listed(threadId)).toEqual([second, first]);
});

test("checkpoints of one statement are numbered in the order in which they were made", async () => {
  const threadId = crypto.randomUUID();
  const ids = Array.from({ length: 40 }, (_, n) => `${n % 2 === 0 ? "f" : "0"}${n}`);
  const checkpoints = ids.map((checkpointId) => ({
    ...{ threadId, namespace: "", checkpointId, parentId: undefined },
    checkpoint: JSON.stringify({ v: 4, channel_versions: {} }),
    metadata: "{}",
  }));
  await storeRows(pool, { blobs: [], writes: [], checkpoints });
  expect(await listed(threadId)).toEqual(ids.toReversed());
});

test("`before` takes the place of a checkpoint of any namespace of the thread", async () => {
  const threadId = crypto.randomUUID();
  const inner = await put(threadId, 0, { namespace: "sub" });
  const root = await put(threadId, -3_600);
  const later = await put(threadId, -1_800, { namespace: "sub" });
  expect(await listed(threadId, before(root), "sub")).toEqual([inner]);
  expect(await listed(threadId, before(later), "sub")).toEqual([inner]);
});

/** Removes a checkpoint's number, as if the previous release had stored it. */
const forgetNumber = (threadId: string, id: string) =>
  pool.query("update checkpoints set seq = null where thread_id = $1 and checkpoint_id = $2", [threadId, id]);

test("checkpoints from before the migration come before all others, by their ids", async () => {
  const threadId = crypto.randomUUID();
  const old = [await put(threadId, 100), await put(threadId, 200)];
  for (const id of old) await forgetNumber(threadId, id);
  const recent = [await put(threadId, 0), await put(threadId, -50)];
  expect(await listed(threadId)).toEqual([...recent.toReversed(), ...old.toReversed()]);
  expect(await listed(threadId, before(recent[0] ?? ""))).toEqual(old.toReversed());
  expect(await listed(threadId, before(old[1] ?? ""))).toEqual([old[0]]);
});

test("`before` a checkpoint that is gone compares ids", async () => {
  const threadId = crypto.randomUUID();
  const ids = [await put(threadId, -30), await put(threadId, -20), await put(threadId, -10)];
  await pool.query(sql`delete from checkpoints where thread_id = ${threadId} and checkpoint_id = ${ids[1]}`);
  expect(await listed(threadId, before(ids[1] ?? ""))).toEqual([ids[0]]);
});

test("the stock saver's checkpoints are numbered too, and it finds the newest where clocks agree", async () => {
  const threadId = crypto.randomUUID();
  const stock = withSaver(new PostgresSaver(pool));
  const ours = withSaver(new EnsembleSaver(pool));
  await stock.invoke({ log: ["a"] }, config(threadId));
  await ours.invoke({ log: ["b"] }, config(threadId));
  expect((await stock.getState(config(threadId))).values).toEqual((await ours.getState(config(threadId))).values);
  const { rows } = await pool.query("select count(*) from checkpoints where thread_id = $1 and seq is null", [threadId]);
  expect(Number(rows[0].count)).toBe(0);
});
