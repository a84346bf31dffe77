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
 * Stores the outcome of an attempt, and returns the outcome that is now true. The two differ if the attempt has lost the right to write,
 * which gives "lost", or if a caller has requested a rollback meanwhile, which gives "rolled back".
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
      // If the run could not be ended, either the attempt has lost the right to write, or a caller has requested a rollback meanwhile. In
      // the second case, the rollback is carried out now.
      return ended ? outcome : store(attempt, { kind: "rolled back" });
    }
  }
}

/**
 * Returns the end of the run with its timers and webhook. A run that succeeds also stores the reported items that are not yet stored with a
 * step.
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

/** Ends a run with an error if `reason` means that its result can never be stored. Otherwise, throws `reason` again. */
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

/** Returns the run's error if `reason` means that its result can never be stored. Returns undefined for any other reason. */
function refusalOf(reason: unknown): RunError | undefined {
  if (reason instanceof UnsealableValue)
    return { error: "ResultRefusedError", message: `The run's result cannot be stored. ${reason.message}` };
  if (!(reason instanceof Refused || (reason instanceof Error && "severity" in reason))) return undefined;
  return { error: "ResultRefusedError", message: `The database refuses the run's result: ${whatServerSays(reason)}.` };
}

/** Adds the consequences of a run's end: the timers of its questions, and its webhook. */
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
