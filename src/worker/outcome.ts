import { authKeys } from "../auth/user.ts";
import { EnsembleSaver } from "../checkpoints/saver.ts";
import { untilDatabaseAnswers } from "../db/failure.ts";
import { unlessRefused } from "../db/refused.ts";
import type { Claim } from "../runs/claim.ts";
import { lastValuesEvent, type RunEnd, type RunError, valuesOfThread } from "../runs/end.ts";
import type { CancelAction } from "../runs/run.ts";
import { timeoutError } from "../runs/sweep.ts";
import { restingState } from "../state/state.ts";
import type { ThreadState } from "../threads/threads.ts";
import type { StopReason } from "./attempt.ts";
import { graphIdOf } from "./graph-call.ts";
import type { Journal } from "./journal.ts";
import { tryToStore } from "./steps.ts";
import type { StreamTranslator } from "./stream.ts";
import type { WorkerDeps } from "./worker-deps.ts";

/** How an attempt came out. Only `ended` and `rolled back` end the run. */
export type Outcome =
  | { kind: "ended"; end: RunEnd }
  | { kind: "rolled back" }
  /** Back to the queue: another attempt goes on. */
  | { kind: "released" }
  /** The right to write is gone; somebody else decides. */
  | { kind: "lost" };

export async function succeeded(
  deps: WorkerDeps,
  claim: Claim,
  { lastValues, loggedValues, interrupts }: StreamTranslator,
): Promise<Outcome> {
  // The last values are the state, unless the graph stopped to ask or said nothing: then the checkpoint knows.
  const known = lastValues !== undefined && interrupts === undefined;
  const thread = known ? { status: "idle" as const, values: lastValues, interrupts: "{}" } : await readThreadState(deps, claim);
  const stored = loggedValues ? lastValuesEvent : valuesOfThread;
  const output = known ? stored : (interrupts ?? lastValues ?? thread?.values ?? null);
  return { kind: "ended", end: { status: "success", output, error: null, thread } };
}

/** Tells the clients, and leaves on the thread what was reached before the failure. */
export async function failed(
  deps: WorkerDeps,
  claim: Claim,
  status: "error" | "timeout",
  error: RunError,
  journal: Journal,
): Promise<Outcome> {
  journal.push({ event: "error", data: JSON.stringify(error) });
  const reached = await readThreadState(deps, claim);
  return { kind: "ended", end: { status, output: JSON.stringify({ __error__: error }), error, thread: { ...reached, status: "error" } } };
}

export async function outcomeOfStop(
  deps: WorkerDeps,
  claim: Claim,
  stop: StopReason,
  translator: StreamTranslator,
  journal: Journal,
): Promise<Outcome> {
  switch (stop.kind) {
    case "lost":
      return { kind: "lost" };
    case "shutdown":
    case "unreachable":
      return { kind: "released" };
    case "cancel":
      return cancelled(deps, claim, stop.action, translator.lastValues);
    case "timeout":
      return failed(deps, claim, "timeout", timeoutError(stop.seconds), journal);
    case "failed":
      return failed(deps, claim, "error", describeError(stop.error), journal);
  }
}

/** A cancelled run keeps what it has stored; its thread is free for the next one. */
export async function cancelled(deps: WorkerDeps, claim: Claim, action: CancelAction, lastValues?: string): Promise<Outcome> {
  if (action === "rollback") return { kind: "rolled back" };
  const reached = await readThreadState(deps, claim);
  const thread = reached && { ...reached, status: "idle" as const };
  return { kind: "ended", end: { status: "interrupted", output: lastValues ?? reached?.values ?? null, error: null, thread } };
}

/** What the thread's newest checkpoint says, or undefined when its graph cannot be opened: then the thread keeps what it shows. */
async function readThreadState({ pool, registry, log }: WorkerDeps, claim: Claim): Promise<ThreadState | undefined> {
  const { configurable } = claim.kwargs.config;
  try {
    // A saver of its own, not fenced: reading takes no right, and the attempt may have lost its own.
    const graph = await registry.open(graphIdOf(claim), {
      config: { configurable: { ...configurable, ...authKeys(claim.user) } },
      checkpointer: new EnsembleSaver(pool),
    });
    const read = () => restingState(graph, claim.threadId);
    return await untilDatabaseAnswers(() => unlessRefused(read, () => tryToStore(pool, claim)));
  } catch (err) {
    log.warn({ err, run_id: claim.runId }, "the thread's state could not be read");
    return undefined;
  }
}

/** The run's end when its result cannot be stored. The thread keeps the values that it shows. */
export function endWithoutResult(error: RunError): Outcome {
  return { kind: "ended", end: { status: "error", output: JSON.stringify({ __error__: error }), error, thread: { status: "error" } } };
}

export function describeError(error: unknown): RunError {
  if (error instanceof Error) return { error: error.name, message: error.message };
  return { error: "Error", message: typeof error === "string" ? error : JSON.stringify(error) };
}
