import type { Pool } from "pg";
import { batched } from "../db/batched.ts";
import { unlessRefused } from "../db/refused.ts";
import { rehearse } from "../db/sql.ts";
import { type EndingRun, endRun, endRuns, isPlainEnd } from "../runs/end.ts";

/**
 * Ends a run. Returns false if the attempt has lost the right to write, or if a caller has requested a rollback meanwhile. Rejects with
 * `Refused` if the database will never accept the result.
 */
export type EndRun = (ending: EndingRun) => Promise<boolean>;

/**
 * Returns a function that ends runs. Runs that end at the same time share a statement. A run that this statement has not ended, for example
 * because its thread was locked, then gets its own statement.
 */
export function runEnder(pool: Pool): EndRun {
  const endTogether = batched((ends: EndingRun[]) => endRuns(pool, ends), { keyOf: ({ threadId }) => threadId });
  const end = async (ending: EndingRun, nth: number) =>
    (nth === 1 && isPlainEnd(ending) && (await endTogether(ending))) || endRun(pool, ending);
  return (ending) =>
    unlessRefused(
      (nth) => end(ending, nth),
      () => rehearse(pool, (tx) => endRun(tx, { ...ending, end: smallEnd })),
    );
}

const smallEnd = { status: "success", output: null, error: null, thread: { status: "idle", values: "{}", interrupts: "{}" } } as const;
