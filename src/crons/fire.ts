import type { Pool } from "pg";
import { everything } from "../db/scope.ts";
import { type Db, sql, transaction } from "../db/sql.ts";
import { ServiceError } from "../errors.ts";
import { noteMissedRun } from "../letters/cron-letters.ts";
import { onBehalfOf } from "../runs/caller.ts";
import type { RunDefaults } from "../runs/request.ts";
import type { Run } from "../runs/run.ts";
import { submitWithin } from "../runs/submit.ts";
import { type HeldCron, holdCron, runOfCron } from "./cron.ts";
import { nextTick } from "./schedule.ts";

/** The outcome of a due cron: the created run, or the reason why no run was created. */
export type Tick = { run: Run } | { passedOver: string };

/**
 * The number of milliseconds after the cron's end in which a run may still be created. The cron's last run may be due just before the end,
 * and a worker creates that run moments later.
 */
const lateMs = 60_000;

/**
 * Returns the ids of the due crons, the longest overdue first. Another process may create their runs first, so `fireCron` checks each cron
 * again.
 */
export async function findDueCrons(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ cronId: string }>(sql`
    select cron_id as "cronId" from crons where next_run_date <= now() order by next_run_date, cron_id`);
  return rows.map(({ cronId }) => cronId);
}

/**
 * Creates a cron's run and sets the cron's next time in one transaction, so that a crash leaves both or neither. If several times were
 * missed, creates only one run. Returns undefined if another process has already created the run.
 */
export async function fireCron(pool: Pool, cronId: string, retention: RunDefaults): Promise<Tick | undefined> {
  return transaction(pool, async (tx) => {
    const cron = await holdCron(tx, everything, cronId, { due: true });
    if (!cron) return undefined;
    const tick = isOver(cron) ? { passedOver: "The cron's end is past." } : await makeRun(tx, cron, retention);
    await tx.query(sql`update crons set next_run_date = ${nextTick(cron, cron.now)} where cron_id = ${cronId}`);
    return tick;
  });
}

const isOver = ({ end_time, now }: HeldCron) => end_time !== null && now.getTime() - end_time.getTime() > lateMs;

/**
 * Creates the run of a due cron. The run may be refused, for example because its thread is busy and its multitask strategy is `reject`. A
 * refused run is not retried, and the cron waits for its next time. The refusal becomes a dead letter.
 */
async function makeRun(tx: Db, cron: HeldCron, retention: RunDefaults): Promise<Tick> {
  await tx.query(sql`savepoint before_run`);
  try {
    return { run: await submitWithin(tx, { caller: onBehalfOf(cron.user), run: runOfCron(cron, retention) }) };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    await tx.query(sql`rollback to savepoint before_run`);
    await noteMissedRun(tx, cron.cron_id, error);
    return { passedOver: error.message };
  }
}
