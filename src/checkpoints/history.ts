import type { RunnableConfig } from "@langchain/core/runnables";
import type { CheckpointListOptions } from "@langchain/langgraph-checkpoint";
import { nothing, type Sql, sql } from "../db/sql.ts";
import { newestFirst, storedBefore } from "./order.ts";
import type { StoredCheckpoint } from "./read.ts";

const firstBatch = 2;
const mostInBatch = 200;
const batchBytes = 1_000_000;

/**
 * Yields checkpoints, newest first. Reads them in small batches, because the caller may stop early in a long history. The larger the
 * checkpoints are, the fewer are in a batch.
 */
export async function* readHistory(
  read: (selection: Sql) => Promise<StoredCheckpoint[]>,
  config: RunnableConfig,
  options?: CheckpointListOptions,
): AsyncGenerator<StoredCheckpoint> {
  const { limit = Number.POSITIVE_INFINITY } = options ?? {};
  let before = options?.before;
  let left = limit;
  let size = firstBatch;
  while (left > 0) {
    const batchLimit = Math.min(left, size);
    const found = await read(selectionOf(config, { ...options, before, limit: batchLimit }));
    yield* found;
    left -= found.length;
    size = nextBatch(found);
    const last = found.at(-1);
    if (!last || found.length < batchLimit) return;
    before = { configurable: { checkpoint_id: last.checkpointId } };
  }
}

function selectionOf(config: RunnableConfig, { filter, before, limit }: CheckpointListOptions): Sql {
  const { thread_id: threadId, checkpoint_ns: namespace, checkpoint_id: checkpointId } = config.configurable ?? {};
  const beforeId = before?.configurable?.checkpoint_id;
  return sql`
    select * from checkpoints
     where true ${threadId ? sql`and thread_id = ${threadId}` : nothing}
       ${namespace === undefined || namespace === null ? nothing : sql`and checkpoint_ns = ${namespace}`}
       ${checkpointId ? sql`and checkpoint_id = ${checkpointId}` : nothing}
       ${filter && Object.keys(filter).length > 0 ? sql`and metadata @> searchable(${JSON.stringify(filter)}::json)` : nothing}
       ${beforeId === undefined ? nothing : sql`and ${storedBefore(threadId, beforeId)}`}
     order by ${newestFirst} limit ${limit}`;
}

/** Returns the number of checkpoints in the next batch. It depends on the size of the checkpoints in the last batch. */
function nextBatch(found: StoredCheckpoint[]): number {
  const rows = found.flatMap(({ values, writes }) => [...[...values.values()].flat(), ...writes]);
  const bytes = rows.reduce((sum, { text, bytes }) => sum + (text?.length ?? bytes?.length ?? 0), 0);
  const mean = bytes / Math.max(1, found.length);
  return Math.max(1, Math.min(mostInBatch, Math.floor(batchBytes / Math.max(1, mean))));
}
