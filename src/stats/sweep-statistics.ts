import type { Db } from "../db/sql.ts";
import { countOldOutcomes, sweepOutcomes } from "./agent-health.ts";
import { countOldAgentHours, sweepAgentHours } from "./agent-hours.ts";
import { countOldRunHours, sweepRunHours } from "./run-hours.ts";

/** Deletes up to `limit` rows of each kind of statistics that are too old. Returns their number. */
export async function sweepStatistics(db: Db, limit: number): Promise<number> {
  return (await sweepAgentHours(db, limit)) + (await sweepRunHours(db, limit)) + (await sweepOutcomes(db, limit));
}

/** Returns how many rows of statistics are too old. */
export async function countOldStatistics(db: Db): Promise<number> {
  return (await countOldAgentHours(db)) + (await countOldRunHours(db)) + (await countOldOutcomes(db));
}
