import { isGraphDrained } from "@langchain/langgraph";
import { authKeys } from "../auth/user.ts";
import { EnsembleSaver, LostRight } from "../checkpoints/saver.ts";
import { untilDatabaseAnswers } from "../db/failure.ts";
import { unlessRefused } from "../db/refused.ts";
import { offerFeedback } from "../feedback/feedback.ts";
import type { Claim } from "../runs/claim.ts";
import { lastValuesEvent, type RunEnd, type RunError, valuesOfThread } from "../runs/end.ts";
import { findSpentBudget } from "../runs/limits.ts";
import { answersQuestion, type CancelAction } from "../runs/run.ts";
import { timeoutError } from "../runs/sweep.ts";
import { restingState } from "../state/state.ts";
import type { ThreadState } from "../threads/threads.ts";
import { type Attempt, graphIdOf } from "./attempt.ts";
import type { StopReason } from "./control.ts";
import { metricsOfFailure } from "./failure-metrics.ts";
import { UnknownInterruptError } from "./resumption.ts";
import { tryToStore } from "./steps.ts";

/**
 * The outcome of an attempt. With `ended` and `rolled back`, the run has ended too. With the other outcomes, another attempt may continue
 * it.
 */
export type Outcome =
  | { kind: "ended"; end: RunEnd }
  | { kind: "rolled back" }
  /** The run returns to the queue, and another attempt continues it. */
  | { kind: "released" }
  /** The attempt has lost the right to write. Another attempt continues the run, unless the run was ended or deleted. */
  | { kind: "lost" };

/**
 * Returns the outcome of a run that must not be executed. Such a run was cancelled before this attempt, has crashed its workers too often,
 * or would begin after its budget was used up. Returns undefined for any other run.
 */
export async function decidedBefore(attempt: Attempt): Promise<Outcome | undefined> {
  const { claim, policy } = attempt;
  if (claim.cancel) return flushed(attempt, await cancelled(attempt, claim.cancel));
  const error = claim.crashes < policy.maxCrashes ? await budgetError(attempt) : crashError(claim);
  return error && flushed(attempt, await failed(attempt, "error", error));
}

const crashError = ({ crashes }: Claim): RunError => ({
  error: "WorkerCrashError",
  message: `The run's worker died ${crashes} times in a row without progress (BG_JOB_MAX_RETRIES), so it is not tried again.`,
});

/**
 * Returns an error if a budget of the run was used up while the run waited in the queue. Returns undefined for a run that has already
 * begun, and for a run that answers a question, because such runs may continue.
 */
async function budgetError({ claim, deps }: Attempt): Promise<RunError | undefined> {
  const begins = claim.attempt === 1 && !answersQuestion(claim.kwargs);
  if (!claim.isBudgeted || !begins) return undefined;
  const message = await untilDatabaseAnswers(() => findSpentBudget(deps.pool, claim.queueKey, graphIdOf(claim)));
  return message === undefined ? undefined : { error: "BudgetSpentError", message };
}

/** Returns the outcome of an attempt whose graph has ended, has been stopped, or has thrown an error. */
export async function conclude(attempt: Attempt, threw?: { error: unknown }): Promise<Outcome> {
  const { control, graphVersion, log } = attempt;
  if (threw && !control.stopped && !isGraphDrained(threw.error)) log.warn({ err: threw.error }, "run failed");
  const outcome = control.stopped ? await outcomeOfStop(attempt, control.stopped) : await outcomeOfGraph(attempt, threw);
  return flushed(attempt, outcome.kind === "ended" ? { ...outcome, end: { ...outcome.end, graphVersion } } : outcome);
}

/**
 * Waits until all events of the attempt are logged, and returns the outcome. The result differs from the given outcome in two cases. It is
 * `released` if the database did not respond or the attempt has lost the right to write. It is an error if the run succeeded but the
 * database refused its last events.
 */
async function flushed(attempt: Attempt, outcome: Outcome): Promise<Outcome> {
  const { control, journal } = attempt;
  control.leaveGraph();
  await journal.flushed();
  const { stopped } = control;
  if (stopped?.kind === "unreachable" || stopped?.kind === "lost") return { kind: "released" };
  const isRefused = stopped?.kind === "failed" && outcome.kind === "ended" && outcome.end.status === "success";
  return isRefused ? failed(attempt, "error", describeError(stopped.error)) : outcome;
}

async function outcomeOfGraph(attempt: Attempt, threw: { error: unknown } | undefined): Promise<Outcome> {
  if (!threw) return succeeded(attempt);
  if (threw.error instanceof LostRight) return { kind: "lost" };
  if (isGraphDrained(threw.error)) return { kind: "released" };
  if (threw.error instanceof UnknownInterruptError) return refused(attempt, threw.error);
  return failed(attempt, "error", describeError(threw.error));
}

async function outcomeOfStop(attempt: Attempt, stop: StopReason): Promise<Outcome> {
  switch (stop.kind) {
    case "lost":
      return { kind: "lost" };
    case "shutdown":
    case "unreachable":
      return { kind: "released" };
    case "cancel":
      return cancelled(attempt, stop.action);
    case "timeout":
      return failed(attempt, "timeout", timeoutError(stop.seconds));
    case "failed":
      return failed(attempt, "error", describeError(stop.error));
  }
}

async function succeeded(attempt: Attempt): Promise<Outcome> {
  await inviteFeedback(attempt);
  const { lastValues, loggedValues, interrupts } = attempt.translator;
  // Normally, the last streamed values are the thread's new state. If the graph stopped for a question or streamed no values, the state is
  // read from the newest checkpoint.
  const known = lastValues !== undefined && interrupts === undefined;
  const thread = known ? { status: "idle" as const, values: lastValues, interrupts: "{}" } : await readThreadState(attempt);
  const stored = loggedValues ? lastValuesEvent : valuesOfThread;
  const output = known ? stored : (interrupts ?? lastValues ?? thread?.values ?? null);
  return { kind: "ended", end: { status: "success", output, error: null, thread } };
}

/**
 * Adds the event `feedback` to the run's event log, with the path of a URL for each feedback key of the run. The official server also sends
 * this event after the graph's last event. If the paths cannot be made, the process's log gets a warning, and the run still succeeds.
 */
async function inviteFeedback({ claim, deps, journal, log }: Attempt): Promise<void> {
  const { pool, feedback } = deps;
  const keys = [...new Set(claim.kwargs.feedback_keys)];
  if (keys.length === 0) return;
  try {
    const now = await untilDatabaseAnswers(() => offerFeedback(pool, claim, keys));
    if (now === undefined) return;
    const expires = now + feedback.lifetimeSeconds;
    const paths = keys.map(async (key) => [key, await feedback.pathFor({ runId: claim.runId, key, expires })] as const);
    journal.push({ event: "feedback", data: JSON.stringify(Object.fromEntries(await Promise.all(paths))) });
  } catch (err) {
    log.warn({ err }, "the run's feedback URLs could not be made");
  }
}

/**
 * Returns the outcome of a run that failed. Also adds the error to the run's event log, where the run's subscribers receive it. The thread
 * gets the state of its newest checkpoint.
 */
async function failed(attempt: Attempt, status: "error" | "timeout", error: RunError): Promise<Outcome> {
  const end = endWithError(attempt, status, error, await metricsOfFailure(attempt));
  const reached = await readThreadState(attempt);
  return { kind: "ended", end: { ...end, thread: { ...reached, status: "error" } } };
}

/**
 * Returns the outcome of a run whose answer was refused, because its question is not open. The thread keeps its state, because the run has
 * executed no node.
 */
function refused(attempt: Attempt, { name, message, refusal }: UnknownInterruptError): Outcome {
  return { kind: "ended", end: endWithError(attempt, "error", { error: name, message, ...refusal }) };
}

function endWithError({ journal }: Attempt, status: "error" | "timeout", error: RunError, metrics?: object): RunEnd {
  journal.push({ event: "error", data: JSON.stringify(error) });
  return { status, output: JSON.stringify({ __error__: error, metrics }), error, thread: undefined };
}

/**
 * Returns the outcome of a cancelled run. With "interrupt", the checkpoints that the run has stored are kept, and the thread is free for
 * its next run.
 */
async function cancelled(attempt: Attempt, action: CancelAction): Promise<Outcome> {
  if (action === "rollback") return { kind: "rolled back" };
  const { lastValues } = attempt.translator;
  const reached = await readThreadState(attempt);
  const thread = reached && { ...reached, status: "idle" as const };
  return { kind: "ended", end: { status: "interrupted", output: lastValues ?? reached?.values ?? null, error: null, thread } };
}

/**
 * Returns the state at the thread's newest checkpoint. Returns undefined if the state cannot be read, so that the thread's row does not
 * change.
 */
async function readThreadState({ deps, claim, log }: Attempt): Promise<ThreadState | undefined> {
  const { pool, registry } = deps;
  const { configurable } = claim.kwargs.config;
  try {
    // This saver does not check the right to write. The attempt may have lost this right, and reading does not need it.
    const graph = await registry.open(graphIdOf(claim), {
      config: { configurable: { ...configurable, ...authKeys(claim.user) } },
      checkpointer: new EnsembleSaver(pool),
    });
    const read = () => restingState(graph, claim.threadId);
    return await untilDatabaseAnswers(() => unlessRefused(read, () => tryToStore(pool, claim)));
  } catch (err) {
    log.warn({ err }, "the thread's state could not be read");
    return undefined;
  }
}

function describeError(error: unknown): RunError {
  if (error instanceof Error) return { error: error.name, message: error.message };
  return { error: "Error", message: typeof error === "string" ? error : JSON.stringify(error) };
}
