import { type CheckpointRows, isAlike, storingRows } from "../checkpoints/rows.ts";
import { type Fence, fenced } from "../db/fence.ts";
import { type Db, prepared, sql } from "../db/sql.ts";
import { appendingEvents, milliseconds, type RunEvent } from "../events/log.ts";

/**
 * Stores what a step of a graph leaves, in one statement: its events, its writes and its checkpoint. Answers when that was, by the
 * database's clock; undefined when the right to write is lost, and then nothing is stored.
 */
export async function storeStep(db: Db, fence: Fence, events: RunEvent[], rows: CheckpointRows): Promise<number | undefined> {
  const statement = sql`
    with ${fenced(fence)}, ${appendingEvents(events)}, ${storingRows(rows)} select ${milliseconds(sql`now()`)} as at from fence`;
  const stored = await db.query<{ at: number }>(isAlike(rows) ? prepared("store step", statement) : statement);
  return stored.rows[0]?.at;
}
