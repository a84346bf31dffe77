import { type Db, sql } from "../db/sql.ts";

/**
 * Halts the service. Workers claim no runs, and each running run returns to the queue after its current step. New runs are still accepted,
 * but wait.
 */
export async function haltRuns(db: Db): Promise<void> {
  await db.query(sql`insert into halts default values on conflict do nothing`);
}

export async function resumeRuns(db: Db): Promise<void> {
  await db.query(sql`delete from halts`);
}

export async function isHalted(db: Db): Promise<boolean> {
  const { rowCount } = await db.query(sql`select 1 from halts`);
  return rowCount !== 0;
}
