import { type Sql, sql } from "../db/sql.ts";

/**
 * Orders checkpoints from newest to oldest, in the order in which the database stored them. A checkpoint's id contains the time of its
 * process's clock, so the order of ids is unreliable. Rows from before the numbering have no `seq`, so they are ordered by their ids.
 */
export const newestFirst: Sql = sql`seq desc nulls last, checkpoint_id desc`;

/**
 * Selects the rows of `checkpoints` that were stored before the given checkpoint. The given checkpoint may be in another namespace, because
 * LangGraph passes a root checkpoint's id to look for a subgraph's checkpoint. Rows without a number count as 0, and are ordered by their
 * ids. If the given checkpoint no longer exists, only ids are compared.
 */
export function storedBefore(threadId: string | undefined, checkpointId: string): Sql {
  const place = sql`(select coalesce(max(seq), 0) from checkpoints
                      where ${threadId === undefined ? sql`true` : sql`thread_id = ${threadId}`} and checkpoint_id = ${checkpointId} having count(*) > 0)`;
  return sql`coalesce((coalesce(seq, 0), checkpoint_id) < (${place}, ${checkpointId}), checkpoint_id < ${checkpointId})`;
}
