import type { Pool } from "pg";
import { holdCron } from "../crons/cron.ts";
import { isDatabaseTrouble } from "../db/failure.ts";
import { everything } from "../db/scope.ts";
import { sealableJson } from "../db/sealable.ts";
import { type Db, sql, transaction } from "../db/sql.ts";
import { onBehalfOf } from "../runs/caller.ts";
import type { RunDefaults } from "../runs/request.ts";
import { submitWithin } from "../runs/submit.ts";
import { lockThread } from "../threads/threads.ts";
import { type Held, type HeldRedrive, runOfLetter } from "./run-of-letter.ts";

/** The result of one call of `startNextRun`: the id of a letter, and the error message if the run of this letter could not be created. */
export interface Started {
  /** The id of the letter whose run was created or refused. Undefined if no letter of the redrive is waiting for a run. */
  letterId?: string | undefined;
  refused?: string | undefined;
}

/**
 * Creates the run of the next letter that waits to be redriven. Locks the row of the redrive while it does so, because the limit of open
 * runs applies to all workers together. Creates only one run in a transaction, so that it locks at most one thread. Returns undefined if no
 * redrive can start a run now.
 */
export async function startNextRun(pool: Pool, defaults: RunDefaults): Promise<Started | undefined> {
  return transaction(pool, async (tx) => {
    const redrive = await holdRedrive(tx);
    if (!redrive) return undefined;
    const letterId = redrive.free > 0 ? await findWaiting(tx, redrive) : undefined;
    const refused = letterId === undefined ? undefined : await startRun(tx, redrive, letterId, defaults);
    await dropIfDone(tx, redrive);
    return { letterId, refused };
  });
}

const isWaiting = sql`letters.redrive_id = redrives.redrive_id and letters.state = 'redriving' and letters.redrive_run_id is null`;
const openRuns = sql`
  (select count(*)::integer from dead_letters letters
    where letters.redrive_id = redrives.redrive_id and letters.state = 'redriving' and letters.redrive_run_id is not null)`;

/**
 * Locks a redrive that may start another run, or that can be deleted because none of its letters waits for a run. Counts the redrive's open
 * runs only after it has the lock, because another worker may just have started one. Returns undefined if there is no such redrive.
 */
async function holdRedrive(tx: Db): Promise<HeldRedrive | undefined> {
  const { rows: held } = await tx.query<{ redriveId: string }>(sql`
    select redrive_id as "redriveId" from redrives
     where (not exists (select from dead_letters letters where ${isWaiting}) or ${openRuns} < parallel)
     order by created_at, redrive_id limit 1 for update skip locked`);
  if (!held[0]) return undefined;
  const { rows } = await tx.query<HeldRedrive>(sql`
    select redrive_id as "redriveId", parallel - ${openRuns} as free, edit, auth_user as "user", metadata
      from redrives where redrive_id = ${held[0].redriveId}`);
  return rows[0];
}

async function findWaiting(tx: Db, { redriveId }: HeldRedrive): Promise<string | undefined> {
  const { rows } = await tx.query<{ letterId: string }>(sql`
    select letter_id as "letterId" from dead_letters
     where redrive_id = ${redriveId} and state = 'redriving' and redrive_run_id is null
     order by first_at, letter_id limit 1`);
  return rows[0]?.letterId;
}

/**
 * Deletes the row of a redrive if none of its letters is waiting for a run any more. The letters still contain the ids of the runs that
 * redrive them.
 */
async function dropIfDone(tx: Db, { redriveId }: HeldRedrive): Promise<void> {
  await tx.query(sql`
    delete from redrives where redrive_id = ${redriveId} and not exists (select from dead_letters letters where ${isWaiting})`);
}

/**
 * Creates the run of one letter, and stores the run's id in the letter. If the run cannot be created, makes the letter dead again and
 * returns the reason. Returns undefined otherwise.
 */
async function startRun(tx: Db, redrive: HeldRedrive, letterId: string, defaults: RunDefaults): Promise<string | undefined> {
  await tx.query(sql`savepoint before_run`);
  try {
    const letter = await holdLetter(tx, letterId);
    if (!letter) return undefined;
    const { run, user } = await runOfLetter(tx, letter, redrive, defaults);
    const made = await submitWithin(tx, { caller: onBehalfOf(redrive.edit ? redrive.user : user), run });
    await tx.query(sql`
      update dead_letters set redrive_run_id = ${made.run_id}, redrive_thread_id = ${made.thread_id} where letter_id = ${letterId}`);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error) || isDatabaseTrouble(error)) throw error;
    await tx.query(sql`rollback to savepoint before_run`);
    await refuse(tx, letterId, error);
    return error.message;
  }
}

/**
 * Locks a letter that waits for its run. First locks the letter's thread and cron, because code that deletes a thread or records a failure
 * of a cron locks in the same order. Otherwise, deadlocks could occur. Returns undefined if the letter is not waiting any more.
 */
async function holdLetter(tx: Db, letterId: string): Promise<Held | undefined> {
  const { rows: seen } = await tx.query<Pick<Held, "threadId" | "cronId">>(sql`
    select thread_id as "threadId", cron_id as "cronId" from dead_letters where letter_id = ${letterId}`);
  if (seen[0]?.threadId) await lockThread(tx, everything, seen[0].threadId);
  if (seen[0]?.cronId) await holdCron(tx, everything, seen[0].cronId, { due: false });
  const { rows } = await tx.query<Held>(sql`
    select letter_id as "letterId", kind, run_id as "runId", thread_id as "threadId", cron_id as "cronId", assistant_id as "assistantId",
           payload, kwargs, metadata, auth_user as "user"
      from dead_letters where letter_id = ${letterId} and state = 'redriving' and redrive_run_id is null for update`);
  return rows[0];
}

async function refuse(tx: Db, letterId: string, { name, message }: Error): Promise<void> {
  await tx.query(sql`
    update dead_letters
       set state = 'dead', state_at = now(), last_at = now(), attempts = attempts + 1,
           error = ${sealableJson("dead_letters.error", { error: name, message: `The run could not be created: ${message}` })}
     where letter_id = ${letterId} and state = 'redriving'`);
}
