import type { Pool } from "pg";
import type { Wakeups } from "../db/listen.ts";
import { sealingUser } from "../db/sealable.ts";
import { type Db, transaction } from "../db/sql.ts";
import type { Caller } from "./caller.ts";
import { createRun, type NewRun, type RunCheck } from "./create.ts";
import { type IdempotentRequest, onceForKey } from "./idempotency.ts";
import { makeSurely } from "./make-surely.ts";
import { cancelTopic, claimTopic, type Run } from "./run.ts";
import { type RunWriter, runWriterOf } from "./run-writer.ts";

export interface SubmitDeps {
  pool: Pool;
  wakeups: Wakeups;
  /**
   * Stores new runs for requests that create a single run on a new thread. One statement stores the runs of several simultaneous requests.
   */
  writer: RunWriter;
}

/** A run to create, the user who creates it, and the check that it must pass. */
export interface Submission {
  caller: Caller;
  run: NewRun;
  check: RunCheck;
}

export interface SubmitOptions {
  /**
   * The request with its Idempotency-Key. If the key was used before, no run is created and the earlier runs are returned. Undefined if the
   * request has no key.
   */
  key?: IdempotentRequest | undefined;
  /**
   * Called in the transaction, before the runs are created. It throws if something has changed, so that the runs must not be created any
   * more.
   */
  prepare?: (tx: Db) => Promise<void>;
  /** Called with each new run before the commit. If it throws, no run is created. */
  inspect?: (run: Run) => void;
}

/**
 * Creates all of these runs or none, and notifies the workers. When it returns, the runs are committed. The caller must not respond with a
 * 5xx status after that, because the client would send the request again.
 */
export async function submitRuns(deps: SubmitDeps, submissions: Submission[], options: SubmitOptions = {}): Promise<Run[]> {
  const { pool, wakeups, writer } = deps;
  const { key, prepare, inspect } = options;
  const isOneStatement = !key && !prepare && submissions.length === 1 && submissions[0]?.run.threadId === undefined;
  const make = async (tx: Db) => {
    await prepare?.(tx);
    const made: Run[] = [];
    const runWriter = isOneStatement ? writer : runWriterOf(tx, submissions.length);
    for (const { caller, run, check } of submissions) {
      const one = await createRun(tx, caller, run, check, runWriter);
      inspect?.(one);
      made.push(one);
    }
    return made;
  };
  const makeAll = () => (isOneStatement ? make(pool) : transaction(pool, (tx) => onceForKey(tx, key, () => make(tx))));
  const ids = submissions.map(({ run }) => run.runId);
  const runs = await makeSurely(pool, ids, makeAll, { inTransaction: !isOneStatement });
  announceRuns(
    wakeups,
    submissions.map(({ run }) => run.multitaskStrategy),
  );
  return runs;
}

/**
 * Creates a run as part of a larger transaction, such as the one that sets a cron's next time. Call `announceRuns` after the commit.
 * `check` is optional, because the runs of crons and timers were already checked when the cron or the question was stored.
 */
export async function submitWithin(
  tx: Db,
  { caller, run, check = async () => {} }: Omit<Submission, "check"> & Partial<Submission>,
): Promise<Run> {
  return sealingUser.run(caller.user, () => createRun(tx, caller, run, check));
}

/**
 * Notifies the workers that may claim the new runs. If new runs interrupt or roll back running runs, also notifies the workers of those
 * runs. Call it after the commit.
 */
export function announceRuns(wakeups: Wakeups, strategies: Run["multitask_strategy"][]): void {
  const displaces = strategies.some((strategy) => strategy === "interrupt" || strategy === "rollback");
  wakeups.notify(claimTopic, ...(displaces ? [cancelTopic] : []));
}
