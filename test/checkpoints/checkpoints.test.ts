import { inspect } from "node:util";
import {
  AIMessage,
  AIMessageChunk,
  type BaseMessage,
  ChatMessage,
  HumanMessage,
  RemoveMessage,
  SystemMessage,
  ToolMessage,
} from "@langchain/core/messages";
import { MemorySaver } from "@langchain/langgraph";
import { PostgresSaver } from "@langchain/langgraph-checkpoint-postgres";
import { validate } from "@langchain/langgraph-checkpoint-validation";
import { afterAll, describe, expect, test } from "vitest";
import { deleteRunCheckpoints } from "../../src/checkpoints/lifecycle.ts";
import { EnsembleSaver } from "../../src/checkpoints/saver.ts";
import { keepingImpostors } from "../../src/checkpoints/serializer.ts";
import { openPool } from "../../src/db/pool.ts";
import { createDatabase } from "../database.ts";
import { graph as steps } from "../graphs/steps.ts";

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
  await stockSaver.setup(); // finds no missing migration
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
  await deleteRunCheckpoints(pool, threadId, first, false);
  const state = await withSaver(new EnsembleSaver(pool)).getState({ configurable: { thread_id: threadId } });
  expect(state.values.log).toEqual(["first", "one", "two", "three", "second", "one", "two", "three"]);
  const kept = await pool.query("select 1 from checkpoint_blobs where run_id = $1 and channel = 'log'", [first]);
  expect(kept.rows).toHaveLength(1); // of the four versions that the run stored, the one with which the second run started
});

const toolCall = { id: "c", name: "look", args: { a_b: 1, cD: { e_f: [2] } }, type: "tool_call" as const };
const usage = { input_tokens: 1, output_tokens: 2, total_tokens: 3, input_token_details: { cache_read: 1 } };
const messages: BaseMessage[] = [
  new HumanMessage({ content: [{ type: "text", text: "x" }], id: "1", name: "bob" }),
  new AIMessage({ content: "", tool_calls: [toolCall], usage_metadata: usage, additional_kwargs: { fooBar: 1, foo_bar: { lc: "no" } } }),
  new AIMessage({ content: [{ type: "text", text: "t" }], response_metadata: { output_version: "v1", model_name: "m" } }),
  new AIMessageChunk({ content: "a", tool_call_chunks: [{ name: "look", args: "{", id: "x", index: 0, type: "tool_call_chunk" }] }),
  new SystemMessage("be brief"),
  new ToolMessage({
    content: "r",
    tool_call_id: "c",
    status: "error",
    artifact: { some_thing: [new HumanMessage("inner")], camelCase: 1 },
  }),
  new ChatMessage({ content: "c", role: "judge" }),
  new RemoveMessage({ id: "x" }),
];

test.each(messages.map((message) => [message.constructor.name, message] as const))(
  "a stored %s comes back as the stock serializer brings it back",
  async (_name, message) => {
    const stock = new MemorySaver().serde;
    const impostor = { lc: 1, type: "constructor", id: ["langchain_core", "messages"] };
    const ours = await keepingImpostors(stock).loadsTyped(...(await stock.dumpsTyped({ messages: [message, impostor] })));
    const expected = await stock.loadsTyped(...(await stock.dumpsTyped([message])));
    expect(inspect(ours.messages[0], { depth: 9, showHidden: true })).toBe(inspect(expected[0], { depth: 9, showHidden: true }));
    expect(ours.messages[1]).toEqual(impostor);
  },
);
