import type { MemorySaver } from "@langchain/langgraph";
import { PostgresSaver } from "@langchain/langgraph-checkpoint-postgres";
import { validate } from "@langchain/langgraph-checkpoint-validation";
import { afterAll, describe, expect, test } from "vitest";
import { deleteRunCheckpoints } from "../src/checkpoints/lifecycle.ts";
import { EnsembleSaver } from "../src/checkpoints/saver.ts";
import { openPool } from "../src/db/pool.ts";
import { createDatabase } from "./database.ts";
import { graph as steps } from "./graphs/steps.ts";

const url = await createDatabase();
const pool = openPool({ url, size: 5, onError: console.error });
afterAll(() => pool.end());

describe("LangGraph's own validation of a saver", () => {
  validate({
    checkpointerName: "EnsembleSaver",
    createCheckpointer: () => new EnsembleSaver(pool),
    async destroyCheckpointer() {
      await pool.query("truncate checkpoints, checkpoint_blobs, checkpoint_writes, replaced_writes");
    },
  });
});

const withSaver = (checkpointer: MemorySaver | PostgresSaver) =>
  Object.assign(Object.create(Object.getPrototypeOf(steps)), steps, { checkpointer }) as typeof steps;

test("the stock saver reads what ours wrote, and ours goes on from what the stock one wrote", async () => {
  const config = { configurable: { thread_id: crypto.randomUUID() } };
  const ours = withSaver(new EnsembleSaver(pool));
  const stockSaver = new PostgresSaver(pool);
  await stockSaver.setup(); // finds nothing left to do
  const stock = withSaver(stockSaver);

  await ours.invoke({ log: ["a"] }, config);
  expect((await stock.getState(config)).values).toEqual({ log: ["a", "one", "two", "three"], last: "three" });
  await stock.invoke({ log: ["b"] }, config);
  await ours.invoke({ log: ["c"] }, config);
  expect((await stock.getState(config)).values.log).toHaveLength(12);
  expect((await ours.getState(config)).values).toEqual((await stock.getState(config)).values);
});

test("a value that an earlier run wrote survives the removal of that run while a checkpoint refers to it", async () => {
  const threadId = crypto.randomUUID();
  const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];
  const run = async (runId: string, log: string) => {
    const { rows } = await pool.query("select 1 from checkpoints where thread_id = $1", [threadId]);
    await withSaver(new EnsembleSaver(pool)).invoke({ log: [log] }, { configurable: { thread_id: threadId } });
    await pool.query("update checkpoints set run_id = $1 where thread_id = $2 and run_id is null", [runId, threadId]);
    await pool.query("update checkpoint_blobs set run_id = $1 where thread_id = $2 and run_id is null", [runId, threadId]);
    return rows.length;
  };
  await run(first, "first");
  await run(second, "second");
  await deleteRunCheckpoints(pool, threadId, first);
  const state = await withSaver(new EnsembleSaver(pool)).getState({ configurable: { thread_id: threadId } });
  expect(state.values.log).toEqual(["first", "one", "two", "three", "second", "one", "two", "three"]);
  const kept = await pool.query("select 1 from checkpoint_blobs where run_id = $1 and channel = 'log'", [first]);
  expect(kept.rows).toHaveLength(1); // of the four it wrote, the one that the second run began with
});
