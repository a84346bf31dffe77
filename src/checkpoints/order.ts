import { type Sql, sql } from "../db/sql.ts";

/**
 * Orders checkpoints from newest to oldest, as the database stored them. Checkpoint ids are unreliable for this, because each is a time by
 * the clock of the process that made it. Rows from before the numbering have no number, and their ids decide.
 */
export const newestFirst: Sql = sql`seq desc nulls last, checkpoint_id desc`;

/**
 * Selects the rows of `checkpoints` that were stored before the given checkpoint of the thread. It may be in another namespace: LangGraph
 * passes the id of a root checkpoint to look for a subgraph's. Rows without a number count as 0, and their ids decide. If the given
 * checkpoint no longer exists, only ids are compared.
 */
export function storedBefore(threadId: string | undefined, checkpointId: string): Sql {
  const place = sql`(select coalesce(max(seq), 0) from checkpoints
                      where ${threadId === undefined ? sql`true` : sql`thread_id = ${threadId}`} and checkpoint_id = ${checkpointId} having count(*) > 0)`;
  return sql`coalesce((coalesce(seq, 0), checkpoint_id) < (${place}, ${checkpointId}), checkpoint_id < ${checkpointId})`;
}
