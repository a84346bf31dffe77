import type { Db } from "../db/sql.ts";
import { together } from "../db/together.ts";
import { type EndingRun, endRun, endRuns, isPlainEnd } from "../runs/end.ts";

/** Ends a run. False when the right is lost, or a rollback was accepted meanwhile. */
export type EndRun = (ending: EndingRun) => Promise<boolean>;

/** Ends the runs of this process, as many as come together in one statement. What that leaves open each decides by itself. */
export function runEnder(db: Db): EndRun {
  const endTogether = together((ends: EndingRun[]) => endRuns(db, ends), { keyOf: ({ threadId }) => threadId });
  return async (ending) => (isPlainEnd(ending.end) && (await endTogether(ending))) || endRun(db, ending);
}
