import { deleteRunCheckpoints } from "../checkpoints/lifecycle.ts";
import { untilDatabaseAnswers } from "../db/failure.ts";
import { Refused, whatServerSays } from "../db/refused.ts";
import { everything } from "../db/scope.ts";
import { UnsealableValue } from "../db/sealable.ts";
import { transaction } from "../db/sql.ts";
import { runTopic } from "../events/feed.ts";
import { letterKey, letterTopic } from "../letters/letter.ts";
import { type Claim, releaseRun } from "../runs/claim.ts";
import { deleteRunRow, type EndingRun, type RunEnd, type RunError } from "../runs/end.ts";
import { endTopic } from "../runs/run.ts";
import type { AttemptOutcome } from "../runs/timeline.ts";
import { timersAfter } from "../runs/timers.ts";
import { refreshThread } from "../state/state.ts";
import { lockThread } from "../threads/threads.ts";
import { webhookTopic } from "../webhooks/webhooks.ts";
import type { Attempt } from "./attempt.ts";
import type { Outcome } from "./conclude.ts";
import type { WorkerDeps } from "./worker-deps.ts";

/** Stores the outcome of an attempt and notifies the run's subscribers. Returns the outcome as one word, for logs and metrics. */
export async function settle(attempt: Attempt, outcome: Outcome): Promise<string> {
  const { claim, deps, log } = attempt;
  const settled = await store(attempt, outcome).catch((error) => storeWithoutResult(attempt, error));
  if (isOver(settled)) notifyEnd(attempt);
  if (claim.kwargs.webhook) deps.wakeups.notifyHere(webhookTopic);
  if (letterKey in claim.metadata) deps.wakeups.notifyHere(letterTopic); // so that the next waiting dead letter can be redriven
  const became = settled.kind === "ended" ? settled.end.status : settled.kind;
  log.info({ outcome: became }, "run left");
  return became;
}

/** Tells whether the run has ended with this outcome. After `released` or `lost`, its subscribers wait for the next attempt. */
const isOver = ({ kind }: Outcome) => kind === "ended" || kind === "rolled back";

function notifyEnd({ deps: { feed, wakeups }, claim: { runId }, journal }: Attempt): void {
  feed.publishEnd(runId, journal.lastId);
  wakeups.notifyElsewhere(runTopic(runId));
  wakeups.notify(endTopic(runId));
}

/**
 * Stores the outcome of an attempt, and returns the outcome that was stored in the end. It differs from the given one in two cases. If the
 * attempt has lost the right to write, the result is "lost". If a caller has requested a rollback meanwhile, the result is "rolled back".
 */
async function store(attempt: Attempt, outcome: Outcome): Promise<Outcome> {
  const { claim, deps } = attempt;
  switch (outcome.kind) {
    case "lost":
      return outcome;
    case "released": {
      const released = await untilDatabaseAnswers(() => releaseRun(deps.pool, claim, recordOf(attempt, "released")));
      return released ? outcome : { kind: "lost" };
    }
    case "rolled back": {
      const gone = await untilDatabaseAnswers(() => rollBack(deps, claim));
      return gone ? outcome : { kind: "lost" };
    }
    case "ended": {
      const ended = await untilDatabaseAnswers(() => deps.endRun(ending(attempt, outcome.end)));
      // The run was not ended. Either a caller has requested a rollback meanwhile, which is carried out now. Or the attempt has lost the
      // right to write, in which case the rollback does nothing either.
      return ended ? outcome : store(attempt, { kind: "rolled back" });
    }
  }
}

/**
 * Returns the data for the end of a run, with its timers and its webhook. If the run has succeeded, includes those reported items that no
 * step has stored.
 */
function ending(attempt: Attempt, end: RunEnd): EndingRun {
  const { claim, letters } = attempt;
  const items = end.status === "success" ? letters.left() : [];
  return { ...claim, end: withConsequences(claim, end), record: recordOf(attempt, end.status), ...(items.length > 0 && { items }) };
}

/** Returns the attempt's record for the run's timeline, as JSON text. */
function recordOf({ claim, deps, spans }: Attempt, outcome: AttemptOutcome): string {
  return JSON.stringify(spans.close({ attempt: claim.attempt, ...deps.identity, claimed: claim.claimedAt, outcome }));
}

/**
 * Handles an error that occurred while the result of a run was stored. If the result can never be stored, ends the run with an error in
 * place of its result. Otherwise, throws the error again.
 */
async function storeWithoutResult(attempt: Attempt, reason: unknown): Promise<Outcome> {
  const { journal } = attempt;
  const error = refusalOf(reason);
  if (!error) throw reason;
  journal.push({ event: "error", data: JSON.stringify(error) });
  await journal.flushed();
  // This end has no values, so the thread keeps its present values.
  const end: RunEnd = { status: "error", output: JSON.stringify({ __error__: error }), error, thread: { status: "error" } };
  return store(attempt, { kind: "ended", end });
}

/** Returns the error with which the run must end if `reason` means that its result can never be stored. Otherwise, returns undefined. */
function refusalOf(reason: unknown): RunError | undefined {
  if (reason instanceof UnsealableValue)
    return { error: "ResultRefusedError", message: `The run's result cannot be stored. ${reason.message}` };
  if (!(reason instanceof Refused || (reason instanceof Error && "severity" in reason))) return undefined;
  return { error: "ResultRefusedError", message: `The database refuses the run's result: ${whatServerSays(reason)}.` };
}

/** Adds two things to the end of a run: the changes to the timers of the thread's questions, and whether the run has a webhook. */
function withConsequences({ kwargs }: Claim, end: RunEnd): RunEnd {
  const { interrupts } = end.thread ?? {};
  const timers = interrupts === undefined ? undefined : timersAfter(kwargs, end.status === "success", interrupts);
  return { ...end, timers, webhook: Boolean(kwargs.webhook) };
}

/**
 * Rolls a run back in one transaction: deletes the run's row, events and checkpoints, and resets the thread's state to the checkpoint
 * before the run. Returns false if the attempt has lost the right to write.
 */
async function rollBack({ pool, registry }: WorkerDeps, { runId, threadId, attempt }: Claim): Promise<boolean> {
  return transaction(pool, async (tx) => {
    await lockThread(tx, everything, threadId);
    if (!(await deleteRunRow(tx, threadId, runId, attempt))) return false;
    await deleteRunCheckpoints(tx, threadId, runId, false);
    await refreshThread(tx, registry, threadId);
    return true;
  });
}
