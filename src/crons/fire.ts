import type { Pool } from "pg";
import { everything } from "../db/scope.ts";
import { type Db, sql, transaction } from "../db/sql.ts";
import { ServiceError } from "../errors.ts";
import { onBehalfOf } from "../runs/caller.ts";
import { createRun } from "../runs/create.ts";
import type { EventRetention } from "../runs/request.ts";
import type { Run } from "../runs/run.ts";
import { type HeldCron, holdCron, runOfCron } from "./cron.ts";
import { nextTick } from "./schedule.ts";

/** The outcome of a tick: a run, or the reason why there is none. */
export type Tick = { run: Run } | { passedOver: string };

/** How late a tick may be after the cron's end and still count, because the check itself may run late. */
const lateMs = 60_000;

/** Returns the crons whose time has come, the longest waiting first. `fireCron` checks each again. */
export async function findDueCrons(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ cronId: string }>(sql`
    select cron_id as "cronId" from crons where next_run_date <= now() order by next_run_date, cron_id`);
  return rows.map(({ cronId }) => cronId);
}

/**
 * Creates the run of a tick and sets the next one, in one transaction. A crash in between leaves neither. All missed ticks together make
 * one run. Returns undefined when another process was first.
 */
export async function fireCron(pool: Pool, cronId: string, retention: EventRetention): Promise<Tick | undefined> {
  return transaction(pool, async (tx) => {
    const cron = await holdCron(tx, everything, cronId, { due: true });
    if (!cron) return undefined;
    const tick = isOver(cron) ? { passedOver: "The cron's end is past." } : await makeRun(tx, cron, retention);
    await tx.query(sql`update crons set next_run_date = ${nextTick(cron, cron.now)} where cron_id = ${cronId}`);
    return tick;
  });
}

const isOver = ({ end_time, now }: HeldCron) => end_time !== null && now.getTime() - end_time.getTime() > lateMs;

/** Creates the run. A refusal, such as a busy thread with `reject`, is not retried before the next tick. */
async function makeRun(tx: Db, cron: HeldCron, retention: EventRetention): Promise<Tick> {
  await tx.query(sql`savepoint before_run`);
  try {
    return { run: await createRun(tx, onBehalfOf(cron.user), runOfCron(cron, retention), async () => {}) };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    await tx.query(sql`rollback to savepoint before_run`);
    return { passedOver: error.message };
  }
}
