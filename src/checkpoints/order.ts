import { type Sql, sql } from "../db/sql.ts";

/**
 * Sorts checkpoints from newest to oldest, in the order in which the database stored them (`seq`). Ids do not give a reliable order,
 * because they contain the times of processes whose clocks may differ. Rows from older releases have no `seq` and are sorted by their
 * ids.
 */
export const newestFirst: Sql = sql`seq desc nulls last, checkpoint_id desc`;

/**
 * Selects the rows of `checkpoints` that were stored before the given checkpoint. The given checkpoint may be in another namespace, because
 * LangGraph looks up a subgraph's checkpoint by the id of a root checkpoint. Rows from older releases have no `seq`. Their `seq` counts as
 * 0, and they are compared by their ids. If the given checkpoint no longer exists, only ids are compared.
 */
export function storedBefore(threadId: string | undefined, checkpointId: string): Sql {
  const place = sql`(select coalesce(max(seq), 0) from checkpoints
                      where ${threadId === undefined ? sql`true` : sql`thread_id = ${threadId}`} and checkpoint_id = ${checkpointId} having count(*) > 0)`;
  return sql`coalesce((coalesce(seq, 0), checkpoint_id) < (${place}, ${checkpointId}), checkpoint_id < ${checkpointId})`;
}
