import type { Pool } from "pg";
import { type CheckpointRows, isAlike, storingRows } from "../checkpoints/rows.ts";
import { batched } from "../db/batched.ts";
import { type Fence, fencedAll } from "../db/fence.ts";
import { newId } from "../db/ids.ts";
import { unlessRefused } from "../db/refused.ts";
import { type Db, nothing, prepared, rehearse, sql } from "../db/sql.ts";
import { appendingEvents, milliseconds, type RunEvent } from "../events/log.ts";
import { type OwnedItem, storingItems } from "../letters/report.ts";

/** The data that one super-step of a graph stores: its events, writes and checkpoint. */
export interface Step {
  fence: Fence;
  events: RunEvent[];
  rows: CheckpointRows;
  /** The failed items that the step's nodes have reported. */
  items?: OwnedItem[];
}

/**
 * Stores a step, and returns the database's time in milliseconds since 1970. If the attempt has lost the right to write, stores nothing and
 * returns undefined.
 */
export type StoreStep = (step: Step) => Promise<number | undefined>;

/** Returns a function that stores steps. Steps of different runs that arrive at the same time share a statement. */
export function stepWriter(pool: Pool): StoreStep {
  const storeTogether = batched((steps: Step[]) => storeSteps(pool, steps), { keyOf: ({ fence }) => fence.runId });
  const storeAlone = async (step: Step) => (await storeSteps(pool, [step]))[0];
  // Only the first try may share a statement with the steps of other runs. A retry stores the step in its own statement. If the database
  // refuses that, no other step fails.
  const store = (step: Step, nth: number) => (nth === 1 && isPlain(step) ? storeTogether(step) : storeAlone(step));
  return (step) =>
    unlessRefused(
      (nth) => store(step, nth),
      () => tryToStore(pool, step.fence),
    );
}

/**
 * Tells whether a step may share a statement with other steps. A statement for such steps always has the same text, so Postgres plans it
 * only once.
 */
const isPlain = ({ rows, items = [] }: Step) => isAlike(rows) && items.length === 0;

/** Stores a very small step and rolls it back, to test whether the database works. Rejects if the database does not work. */
export async function tryToStore(pool: Pool, fence: Fence): Promise<void> {
  const place = { threadId: fence.runId, namespace: "", checkpointId: newId() };
  const value = { type: "json", text: "1" } as const;
  const rows: CheckpointRows = {
    blobs: [{ ...place, channel: "probe", version: "1", value }],
    writes: [{ ...place, taskId: "probe", idx: 0, channel: "probe", value }],
    checkpoints: [{ ...place, parentId: undefined, checkpoint: "{}", metadata: "{}" }],
  };
  await rehearse(pool, (tx) => storeSteps(tx, [{ fence, events: [{ id: largestId, event: "probe", data: "1" }], rows }]));
}

const largestId = 2 ** 31 - 1;

/**
 * Stores steps of different runs in one statement, and returns one result for each step. The result is the database's time of the write in
 * milliseconds, or undefined if the attempt has lost the right to write.
 */
export async function storeSteps(db: Db, steps: Step[]): Promise<(number | undefined)[]> {
  const events = steps.flatMap(({ fence: { runId }, events }) => events.map((event) => ({ ...event, runId })));
  const rows = steps.map(({ fence: { runId }, rows }) => ({ runId, rows }));
  const items = steps.flatMap((step) => step.items ?? []);
  const statement = sql`
    with ${fencedAll(steps.map(({ fence }) => fence))}, ${appendingEvents(events)}, ${storingRows(rows)}
         ${items.length > 0 ? sql`, ${storingItems(items, sql`fence`)}` : nothing}
    select run_id as "runId", ${milliseconds(sql`now()`)} as at from fence`;
  const areAlike = steps.every(isPlain);
  const stored = await db.query<{ runId: string; at: number }>(areAlike ? prepared("store steps", statement) : statement);
  const storedAt = new Map(stored.rows.map(({ runId, at }) => [runId, at]));
  return steps.map(({ fence }) => storedAt.get(fence.runId));
}
