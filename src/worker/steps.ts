import { type CheckpointRows, isAlike, storingRows } from "../checkpoints/rows.ts";
import { type Fence, fencedAll } from "../db/fence.ts";
import { type Db, prepared, sql } from "../db/sql.ts";
import { together } from "../db/together.ts";
import { appendingEvents, milliseconds, type RunEvent } from "../events/log.ts";

/** What a step of a graph leaves: its events, its writes and its checkpoint. */
export interface Step {
  fence: Fence;
  events: RunEvent[];
  rows: CheckpointRows;
}

/** When a step was stored, in milliseconds of the database's clock; undefined when the right to write is lost, and nothing of it is stored. */
export type StoreStep = (step: Step) => Promise<number | undefined>;

/** Stores the steps of all runs of this process, as many as come together in one statement. Two attempts of a run must not be taken for each other. */
export function stepWriter(db: Db): StoreStep {
  const storeTogether = together((steps: Step[]) => storeSteps(db, steps), { keyOf: ({ fence }) => fence.runId });
  return async (step) => (isAlike(step.rows) ? storeTogether(step) : (await storeSteps(db, [step]))[0]);
}

/** Stores steps of different runs in one statement. Answers when, for those whose right is held. */
async function storeSteps(db: Db, steps: Step[]): Promise<(number | undefined)[]> {
  const events = steps.flatMap(({ fence: { runId }, events }) => events.map((event) => ({ ...event, runId })));
  const rows = steps.map(({ fence: { runId }, rows }) => ({ runId, rows }));
  const statement = sql`
    with ${fencedAll(steps.map(({ fence }) => fence))}, ${appendingEvents(events)}, ${storingRows(rows)}
    select run_id as "runId", ${milliseconds(sql`now()`)} as at from fence`;
  const areAlike = steps.every((step) => isAlike(step.rows));
  const stored = await db.query<{ runId: string; at: number }>(areAlike ? prepared("store steps", statement) : statement);
  const storedAt = new Map(stored.rows.map(({ runId, at }) => [runId, at]));
  return steps.map(({ fence }) => storedAt.get(fence.runId));
}
