import type { User } from "../auth/user.ts";
import { holdCron, runOfCron } from "../crons/cron.ts";
import { newId } from "../db/ids.ts";
import { everything } from "../db/scope.ts";
import { type Db, sql } from "../db/sql.ts";
import { ServiceError } from "../errors.ts";
import { type LetterKind, letterKey } from "../letters/letter.ts";
import type { NewRun } from "../runs/create.ts";
import type { RunDefaults } from "../runs/request.ts";
import { type Json, type RunKwargs, withoutCheckpoint } from "../runs/run.ts";

/** A request to redrive some letters, as stored in a row that the current transaction has locked. */
export interface HeldRedrive {
  redriveId: string;
  /** The number of runs that the redrive may start now without exceeding its limit of open runs. */
  free: number;
  edit: { input: unknown } | null;
  user: User | null;
  metadata: Record<string, unknown>;
}

/** A dead letter that is to be redriven. The current transaction has locked the letter's row. */
export interface Held {
  letterId: string;
  kind: LetterKind;
  runId: string | null;
  threadId: string | null;
  cronId: string | null;
  assistantId: string;
  payload: { input: unknown; context?: Json } | null;
  kwargs: RunKwargs | null;
  metadata: Json;
  user: User | null;
}

type Change = Pick<HeldRedrive, "edit" | "metadata">;
interface Made {
  run: NewRun;
  user: User | null;
}

/** Returns the run that redrives a letter, and the user of that run. Throws if the letter can no longer be redriven. */
export async function runOfLetter(tx: Db, letter: Held, change: Change, defaults: RunDefaults): Promise<Made> {
  const made = await runOfKind(tx, letter, change, defaults);
  const metadata = { ...made.run.metadata, ...change.metadata, [letterKey]: letter.letterId };
  return { ...made, run: { ...made.run, metadata, letterId: letter.letterId } };
}

function runOfKind(tx: Db, letter: Held, change: Change, defaults: RunDefaults): Promise<Made> | Made {
  if (letter.kind === "cron") return runOfCronLetter(tx, letter, change, defaults);
  return letter.kind === "run" ? runOfRunLetter(tx, letter, change, defaults) : runOfItem(letter, change, defaults);
}

/** Returns the run that the letter's cron would create now. */
async function runOfCronLetter(tx: Db, { cronId }: Held, { edit }: Change, defaults: RunDefaults): Promise<Made> {
  const cron = cronId ? await holdCron(tx, everything, cronId, { due: false }) : undefined;
  if (!cron) throw new ServiceError("not_found", "Cron not found");
  return { run: edited(runOfCron(cron, defaults), edit), user: cron.user };
}

/**
 * Returns the run that redrives a failed run. If no other run has changed the thread since the failure, the new run continues from the last
 * checkpoint. If another run has, or if the redrive has a new input, the new run repeats the request from its start. The same is true of a
 * stateless run, because its thread is deleted.
 */
async function runOfRunLetter(tx: Db, letter: Held, { edit }: Change, defaults: RunDefaults): Promise<Made> {
  const { threadId, user } = letter;
  const isStateless = letter.kwargs !== null;
  const source = isStateless ? { kwargs: letter.kwargs as RunKwargs, metadata: letter.metadata } : await findRun(tx, letter);
  const run = { ...newRun(letter, source.kwargs, defaults), metadata: source.metadata };
  if (isStateless) return { run: edited(run, edit), user };
  const onThread = { ...run, threadId: threadId ?? undefined };
  if (edit || !(await canContinue(tx, letter))) return { run: edited(onThread, edit), user };
  const kwargs = { ...onThread.kwargs, input: null, command: null, config: withoutCheckpoint(onThread.kwargs.config) };
  return { run: { ...onThread, kwargs }, user };
}

async function findRun(tx: Db, { runId }: Held): Promise<{ kwargs: RunKwargs; metadata: Json }> {
  const { rows } = await tx.query<{ kwargs: RunKwargs; metadata: Json }>(sql`select kwargs, metadata from runs where run_id = ${runId}`);
  if (!rows[0]) throw new ServiceError("not_found", "The run has been deleted.");
  return rows[0];
}

/**
 * Tells whether a new run can continue where the letter's runs stopped. These are the failed run, and the runs that earlier redrives of the
 * letter have created. The last run of the thread must be one of them, and one of them must have stored a checkpoint.
 */
async function canContinue(tx: Db, { letterId, runId, threadId }: Held): Promise<boolean> {
  const isOfLetter = sql`(runs.run_id = ${runId} or runs.letter_id = ${letterId})`;
  const { rows } = await tx.query<{ isLast: boolean; hasCheckpoint: boolean }>(sql`
    select ${isOfLetter} as "isLast",
           exists (select from checkpoints join runs on runs.run_id = checkpoints.run_id
                    where checkpoints.thread_id = ${String(threadId)} and ${isOfLetter}) as "hasCheckpoint"
      from runs where thread_id = ${threadId} and (started_at is not null or ended_at is null) order by seq desc limit 1`);
  const [last] = rows;
  return (last?.isLast && last.hasCheckpoint) ?? false;
}

/**
 * Returns a run that repeats only a failed item, on a new thread. The new thread is kept if the thread of the failed run was to be kept.
 */
function runOfItem(letter: Held, { edit }: Change, defaults: RunDefaults): Made {
  const { payload, kwargs, user } = letter;
  if (!kwargs || (!payload && !edit))
    throw new ServiceError("conflict", "The item was too large to be kept. Redrive it with an input: edit.");
  const run = newRun(letter, kwargs, defaults);
  const context = payload?.context ? { ...run.kwargs.context, ...payload.context } : run.kwargs.context;
  const input = edit ? edit.input : payload?.input;
  const own = { input, command: null, context, config: withoutCheckpoint(run.kwargs.config) };
  return { run: { ...run, keepThread: !kwargs.temporary, kwargs: { ...run.kwargs, ...own } }, user };
}

/** Returns a run with a new thread that repeats a request. */
function newRun({ assistantId, metadata }: Held, { temporary: _, ...kwargs }: RunKwargs, defaults: RunDefaults): NewRun {
  return {
    runId: newId(),
    threadId: undefined,
    assistantId,
    createThread: false,
    keepThread: false,
    metadata,
    multitaskStrategy: "enqueue",
    afterSeconds: 0,
    eventRetentionSeconds: kwargs.resumable ? defaults.resumableRetentionSeconds : defaults.eventRetentionSeconds,
    queueKeyPath: defaults.queueKeyPath,
    kwargs,
  };
}

function edited(run: NewRun, edit: Change["edit"]): NewRun {
  return edit ? { ...run, kwargs: { ...run.kwargs, input: edit.input, command: null } } : run;
}
