import { setTimeout as sleep } from "node:timers/promises";
import { isDatabaseTrouble, isOutcomeUnknown } from "../db/failure.ts";
import { type Db, failedAtCommit } from "../db/sql.ts";
import { findRuns } from "./read.ts";
import type { Run } from "./run.ts";

const patienceMs = 10_000;
const pauseMs = 250;

/**
 * Creates runs with the given ids, even if the connection to the database breaks. If the database's reply is lost, looks for the runs, and
 * creates them again if they are missing. This never creates a run twice, even if the first transaction commits later, because each id can
 * be used only once. If the database stays unreachable, throws the error of the first try.
 */
export async function makeSurely(
  db: Db,
  ids: string[],
  make: () => Promise<Run[]>,
  { inTransaction }: { inTransaction: boolean },
): Promise<Run[]> {
  const made = await make().catch((error: Error) => error);
  if (!(made instanceof Error)) return made;
  if (!isOutcomeUnknown(made) || (inTransaction && !failedAtCommit(made))) throw made;
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(pauseMs)) {
    const runs = await findOrMake(db, ids, make);
    if (runs) return runs;
  }
  throw made;
}

/** Returns the runs with these ids. If they are missing, creates them first. Returns undefined if the database is unreachable. */
async function findOrMake(db: Db, ids: string[], make: () => Promise<Run[]>): Promise<Run[] | undefined> {
  try {
    return (await findAll(db, ids)) ?? (await make());
  } catch (error) {
    if (isDatabaseTrouble(error)) return undefined;
    // The commit of the first try may have succeeded meanwhile. The second try then fails, because the runs already exist or keep their
    // thread busy. So the runs are looked up once more.
    const found = await findAll(db, ids).catch((trouble: Error) => trouble);
    if (found instanceof Error) return undefined;
    if (found) return found;
    throw error;
  }
}

async function findAll(db: Db, ids: string[]): Promise<Run[] | undefined> {
  const found = await findRuns(db, ids);
  return found.length === ids.length ? found : undefined;
}
