import { AIMessage, HumanMessage } from "@langchain/core/messages";
import { MemorySaver } from "@langchain/langgraph";
import { type Checkpoint, uuid6 } from "@langchain/langgraph-checkpoint";
import { PostgresSaver } from "@langchain/langgraph-checkpoint-postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exportLists } from "../../src/checkpoints/export.ts";
import { copyCheckpoints, deleteRunCheckpoints } from "../../src/checkpoints/lifecycle.ts";
import { pruneCheckpoints } from "../../src/checkpoints/prune.ts";
import { EnsembleSaver } from "../../src/checkpoints/saver.ts";
import { openPool } from "../../src/db/pool.ts";
import { createDatabase } from "../database.ts";

const pool = openPool({ url: await createDatabase(), size: 3, onError: () => {} });
afterAll(() => pool.end());

/** Returns a generator of numbers that are the same in every execution of the tests. */
function randomFrom(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

let clock = 0;
/** Stores a list as LangGraph would. Returns the config of its checkpoint. */
async function put(saver: EnsembleSaver, threadId: string, list: unknown[], parentId?: string) {
  const id = uuid6(clock++);
  const version = saver.getNextVersion(clock);
  const checkpoint = { v: 4, id, ts: "", channel_values: { list }, channel_versions: { list: version }, versions_seen: {} } as Checkpoint;
  const config = { configurable: { thread_id: threadId, checkpoint_ns: "", ...(parentId && { checkpoint_id: parentId }) } };
  await saver.put(config, checkpoint, { source: "loop", step: clock, parents: {} }, { list: version });
  return id;
}

async function read(threadId: string, id?: string, saver: PostgresSaver = new EnsembleSaver(pool)): Promise<unknown> {
  const config = { configurable: { thread_id: threadId, checkpoint_ns: "", ...(id && { checkpoint_id: id }) } };
  return (await saver.getTuple(config))?.checkpoint.channel_values.list;
}

const rowsOf = async (threadId: string) =>
  (await pool.query("select type, base, length(blob) as size from checkpoint_blobs where thread_id = $1", [threadId])).rows;

/** Returns a list as LangGraph's own saver would store and read it. */
async function asStored(list: unknown): Promise<unknown> {
  const { serde } = new MemorySaver();
  return serde.loadsTyped(...(await serde.dumpsTyped(list)));
}

type Random = ReturnType<typeof randomFrom>;

function makeItem(random: Random): unknown {
  const kinds = [
    () => new HumanMessage({ content: `says ${random(1e9)}`, id: String(random(1e9)) }),
    () => new AIMessage({ content: "", tool_calls: [{ id: String(random(9)), name: "look", args: { at: random(99) } }] }),
    () => ({ plain: random(1e9), nested: { list: [random(9)] } }),
    () => random(3),
    () => `text ${random(1e9)}`,
    () => null,
    () => [random(9), undefined, new Map([["key", random(9)]])],
  ];
  return kinds[random(kinds.length)]?.();
}

/** Changes a list as nodes do. Usually it appends items. Sometimes it makes any other change, even in the same array. */
function change(list: unknown[], random: Random): unknown[] {
  const what = random(20);
  if (what < 14) return [...list, ...Array.from({ length: random(4) }, () => makeItem(random))];
  if (what === 14) return [...list, ...Array.from({ length: random(300) }, () => makeItem(random))];
  if (what === 15) return list.slice(0, random(list.length + 1));
  if (what === 16) return list.toSpliced(random(list.length + 1), 1);
  if (what === 17) return list.length > 0 ? list.with(random(list.length), makeItem(random)) : list;
  const item = list[random(Math.max(1, list.length))];
  if (item instanceof HumanMessage) item.content += "!";
  else if (item instanceof AIMessage) item.response_metadata = { changed: random(9) };
  else if (typeof item === "object" && item !== null && "nested" in item) (item.nested as { list: number[] }).list.push(random(9));
  return [...list];
}

test.each([1, 2, 3, 4, 5, 6])("whatever happens to a list, each of its versions is read as it was stored (%i)", async (seed) => {
  const random = randomFrom(seed);
  const threadId = crypto.randomUUID();
  const versions: { id: string; list: unknown }[] = [];
  let saver = new EnsembleSaver(pool);
  let list: unknown[] = [];
  for (let n = 0; n < 120; n++) {
    list = change(list, random);
    const id = await put(saver, threadId, list, versions.at(-1)?.id);
    versions.push({ id, list: await asStored(list) });
    if (random(10) > 0) continue;
    // Another run continues, from the last checkpoint or an earlier one.
    saver = new EnsembleSaver(pool);
    const from = random(4) === 0 ? versions[random(versions.length)] : versions.at(-1);
    const tuple = await saver.getTuple({ configurable: { thread_id: threadId, checkpoint_ns: "", checkpoint_id: from?.id } });
    list = tuple?.checkpoint.channel_values.list as unknown[];
  }
  for (const { id, list: stored } of versions) expect(await read(threadId, id)).toEqual(stored);
  const listed: unknown[] = [];
  for await (const { checkpoint } of new EnsembleSaver(pool).list({ configurable: { thread_id: threadId } }))
    listed.push(checkpoint.channel_values.list);
  expect(listed).toEqual(versions.toReversed().map(({ list: stored }) => stored));

  const copy = crypto.randomUUID();
  await copyCheckpoints(pool, threadId, copy);
  await pruneCheckpoints(pool, [threadId], { newest: 10 });
  for (const { id, list: stored } of versions.slice(-10)) expect(await read(threadId, id)).toEqual(stored);
  await pruneCheckpoints(pool, [threadId], "latest");
  expect(await read(threadId)).toEqual(versions.at(-1)?.list);

  await exportLists(pool);
  expect(new Set((await rowsOf(copy)).map(({ type }) => type))).toEqual(new Set(["json"]));
  for (const { id, list: stored } of versions) expect(await read(copy, id, new PostgresSaver(pool))).toEqual(stored);
});

describe("a list that grows", () => {
  const threadId = crypto.randomUUID();
  const turns = 600;
  const list: HumanMessage[] = [];
  beforeAll(async () => {
    const saver = new EnsembleSaver(pool);
    for (let n = 0; n < turns; n++) {
      list.push(new HumanMessage({ content: "x".repeat(100), id: `m${n}` }));
      await put(saver, threadId, [...list]);
    }
  });

  test("is stored a few times over, and not again with every version", async () => {
    const rows = await rowsOf(threadId);
    const whole = JSON.stringify(list).length;
    expect(rows.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(4 * whole);
    expect(rows.filter(({ base }) => base === null).length).toBeLessThan(20); // the first rows, which are short, and every 256th row
  });

  test("is read from a few rows, and what is left after pruning is no more than that", async () => {
    await pruneCheckpoints(pool, [threadId], "latest");
    const rows = await rowsOf(threadId);
    expect(rows.length).toBeLessThan(3 * 16);
    expect(await read(threadId)).toHaveLength(turns);
  });
});

test("a rollback of a run keeps the list items that later runs build on", async () => {
  const threadId = crypto.randomUUID();
  const items = Array.from({ length: 40 }, (_, n) => ({ n }));
  const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];
  const belongsTo = (runId: string) =>
    Promise.all(
      ["checkpoints", "checkpoint_blobs"].map((table) =>
        pool.query(`update ${table} set run_id = $1 where thread_id = $2 and run_id is null`, [runId, threadId]),
      ),
    );
  const saver = new EnsembleSaver(pool);
  await put(saver, threadId, items);
  await belongsTo(first);
  const later = await put(saver, threadId, [...items, { n: 40 }]);
  await belongsTo(second);

  await deleteRunCheckpoints(pool, threadId, first, false);
  expect(await read(threadId, later)).toEqual([...items, { n: 40 }]);
  await deleteRunCheckpoints(pool, threadId, second, true); // the thread is in use, so another run may build on the blobs
  expect(await rowsOf(threadId)).toHaveLength(2);
  await deleteRunCheckpoints(pool, threadId, second, false);
  expect(await rowsOf(threadId)).toHaveLength(1); // only the first run's blobs remain, and are deleted when the thread is pruned
  await pruneCheckpoints(pool, [threadId], "latest");
});

test("a list with holes is stored with null in them, as LangGraph stores it", async () => {
  const threadId = crypto.randomUUID();
  const short: unknown[] = ["a", "b", "c"];
  delete short[1];
  const long: unknown[] = Array.from({ length: 30 }, (_, n) => n);
  delete long[20];
  const saver = new EnsembleSaver(pool);
  for (const list of [short, new Array(3), long, [...long, 30]]) {
    await put(saver, threadId, list);
    expect(await read(threadId)).toEqual(await asStored(Array.from(list)));
  }
});

test("messages that differ in nothing but a field that their class does not have are not taken for the same", async () => {
  const threadId = crypto.randomUUID();
  const saver = new EnsembleSaver(pool);
  const withMark = (mark: number) =>
    Array.from({ length: 20 }, (_, n) => new HumanMessage({ content: "x", id: `${n}`, artifact: { mark } } as never));
  await put(saver, threadId, withMark(1));
  await put(saver, threadId, withMark(2));
  expect(((await read(threadId)) as HumanMessage[])[0]?.lc_kwargs).toMatchObject({ artifact: { mark: 2 } });
});

test("a thread that an older LangGraph began is listed, what came since included", async () => {
  const threadId = crypto.randomUUID();
  const items = Array.from({ length: 20 }, (_, n) => n);
  const first = await put(new EnsembleSaver(pool), threadId, items);
  const second = await put(new EnsembleSaver(pool), threadId, [...items, 20], first);
  await pool.query("update checkpoints set checkpoint = jsonb_set(checkpoint, '{v}', '3') where thread_id = $1", [threadId]);
  const saver = new EnsembleSaver(pool);
  await saver.getTuple({ configurable: { thread_id: threadId, checkpoint_ns: "" } });
  await put(saver, threadId, [...items, 20, 21], second);
  const listed: unknown[] = [];
  for await (const { checkpoint } of new EnsembleSaver(pool).list({ configurable: { thread_id: threadId } }))
    listed.push((checkpoint.channel_values.list as unknown[]).length);
  expect(listed).toEqual([22, 21, 20]);
});
