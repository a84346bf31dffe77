import type { Db } from "../db/sql.ts";
import { countOldOutcomes, sweepOutcomes } from "./agent-health.ts";
import { countOldAgentHours, sweepAgentHours } from "./agent-hours.ts";
import { countOldRunHours, sweepRunHours } from "./run-hours.ts";

/** Deletes expired statistics, up to `limit` rows of each kind. Returns the number of deleted rows. */
export async function sweepStatistics(db: Db, limit: number): Promise<number> {
  return (await sweepAgentHours(db, limit)) + (await sweepRunHours(db, limit)) + (await sweepOutcomes(db, limit));
}

/** Returns the number of rows of expired statistics. */
export async function countOldStatistics(db: Db): Promise<number> {
  return (await countOldAgentHours(db)) + (await countOldRunHours(db)) + (await countOldOutcomes(db));
}
