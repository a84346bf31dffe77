import { type Sql, sql } from "../db/sql.ts";

/**
 * Orders checkpoints from newest to oldest, as the database stored them. Checkpoint ids cannot tell: each is a time by the clock of the
 * process that made it. Rows from before the numbering have no number; among them the ids decide.
 */
export const newestFirst: Sql = sql`seq desc nulls last, checkpoint_id desc`;

/**
 * Selects the rows of `checkpoints` that were stored before a given checkpoint of the thread. That one may stand in another namespace:
 * LangGraph passes the id of a root checkpoint to look for a subgraph's. Rows without a number count as 0, and among them the ids decide.
 * If the given checkpoint is gone, ids are all there is to compare.
 */
export function storedBefore(threadId: string | undefined, checkpointId: string): Sql {
  const place = sql`(select coalesce(max(seq), 0) from checkpoints
                      where ${threadId === undefined ? sql`true` : sql`thread_id = ${threadId}`} and checkpoint_id = ${checkpointId} having count(*) > 0)`;
  return sql`coalesce((coalesce(seq, 0), checkpoint_id) < (${place}, ${checkpointId}), checkpoint_id < ${checkpointId})`;
}
