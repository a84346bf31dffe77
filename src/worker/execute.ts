import { isGraphDrained } from "@langchain/langgraph";
import type { Logger } from "pino";
import { LostRight } from "../checkpoints/saver.ts";
import { isDatabaseTrouble, untilDatabaseAnswers } from "../db/failure.ts";
import { Refused, unlessRefused, whatServerSays } from "../db/refused.ts";
import { runTopic } from "../events/feed.ts";
import { newestEventId, type RunEvent } from "../events/log.ts";
import { type Claim, releaseRun } from "../runs/claim.ts";
import { endTopic, threadTopic } from "../runs/run.ts";
import { noteAttemptSpan } from "../runs/trace.ts";
import { webhookTopic } from "../webhooks/webhooks.ts";
import type { AttemptControl, StopReason } from "./attempt.ts";
import { graphIdOf, openGraph, startingPoint } from "./graph-call.ts";
import { streamGraph } from "./graph-stream.ts";
import { type Journal, startJournal } from "./journal.ts";
import { cancelled, describeError, endWithoutResult, failed, type Outcome, outcomeOfStop, succeeded } from "./outcome.ts";
import { settle } from "./settle.ts";
import { tryToStore } from "./steps.ts";
import { createTranslator, type StreamTranslator } from "./stream.ts";
import type { AttemptDeps, WorkerDeps } from "./worker-deps.ts";

/** What the operator decided about attempts. */
export interface AttemptPolicy {
  /** After so many crashes without progress a run is given up. */
  maxCrashes: number;
  /** Whether a run goes on that another version of its graph began. */
  onGraphChange: "continue" | "refuse";
}

/** One attempt of a run, from the claim to its end, measured and traced. It never rejects. */
export async function executeRun(deps: AttemptDeps, claim: Claim, control: AttemptControl, policy: AttemptPolicy): Promise<void> {
  const { metrics, tracing, pool, log } = deps;
  const graphId = graphIdOf(claim);
  const begun = performance.now();
  metrics.claimed(claim);
  const span = tracing?.startAttempt({ ...claim, graphId });
  // Beside the work, which does not wait for it.
  if (span?.traceparent) noteAttemptSpan(pool, claim, span.traceparent).catch((err) => log.debug({ err }, "span not noted"));
  const attempt = () => runAttempt(deps, claim, control, policy);
  const became = await (span ? span.during(attempt) : attempt());
  span?.end(became);
  metrics.ended(graphId, became, (performance.now() - begun) / 1000);
}

/** Returns what became of it in a word. */
async function runAttempt(deps: AttemptDeps, claim: Claim, control: AttemptControl, policy: AttemptPolicy): Promise<string> {
  const { runId, threadId, attempt } = claim;
  const log = deps.log.child({ run_id: runId, thread_id: threadId, attempt });
  log.info({ graph_id: graphIdOf(claim), waited_ms: Math.round(claim.waitedSeconds * 1000) }, "run started");
  try {
    const journal = openJournal(deps, claim, control, attempt > 1 ? await newestEventId(deps.pool, runId) : -1);
    const performed = (await decidedBefore(deps, claim, journal, policy)) ?? (await perform(deps, claim, control, journal, policy, log));
    control.leaveGraph();
    await journal.flushed();
    const wanted = await outcomeOnceFlushed(deps, claim, control, performed, journal);
    const outcome = await settle(deps, claim, wanted).catch((error) => settleWithoutResult(deps, claim, error, journal));
    if (isOver(outcome)) tellEnd(deps, runId, journal.lastId);
    if (claim.kwargs.webhook) deps.wakeups.tellHere(webhookTopic);
    const became = outcome.kind === "ended" ? outcome.end.status : outcome.kind;
    log.info({ outcome: became }, "run left");
    return became;
  } catch (error) {
    log.error({ err: error }, "attempt failed");
    await untilDatabaseAnswers(() => releaseRun(deps.pool, claim)).catch((err) => log.error({ err }, "run could not be released"));
    return "failed";
  }
}

/** Ends a run in error whose result the database does not take. Throws every other error on. */
async function settleWithoutResult(deps: AttemptDeps, claim: Claim, reason: unknown, journal: Journal): Promise<Outcome> {
  const isRefused = reason instanceof Refused || (reason instanceof Error && "severity" in reason);
  if (!isRefused) throw reason;
  const error = { error: "ResultRefusedError", message: `The database refuses the run's result: ${whatServerSays(reason)}.` };
  journal.push({ event: "error", data: JSON.stringify(error) });
  await journal.flushed();
  return settle(deps, claim, endWithoutResult(error));
}

/** A run that was given back, or lost to another attempt, goes on: its followers wait. */
const isOver = ({ kind }: Outcome) => kind === "ended" || kind === "rolled back";

function tellEnd({ feed, wakeups }: WorkerDeps, runId: string, lastId: number): void {
  feed.publishEnd(runId, lastId);
  wakeups.tellElsewhere(runTopic(runId));
  wakeups.tell(endTopic(runId));
}

/** What became of the run before this attempt began: it was cancelled, or it has killed its workers too often. */
async function decidedBefore(
  deps: WorkerDeps,
  claim: Claim,
  journal: Journal,
  { maxCrashes }: AttemptPolicy,
): Promise<Outcome | undefined> {
  if (claim.cancel) return cancelled(deps, claim, claim.cancel);
  if (claim.crashes < maxCrashes) return undefined;
  const message = `The run's worker died ${claim.crashes} times in a row without progress (BG_JOB_MAX_RETRIES), so it is not tried again.`;
  return failed(deps, claim, "error", { error: "WorkerCrashError", message }, journal);
}

/** Returns what the run comes to when its last events did not reach the log: a success may not be told then. */
async function outcomeOnceFlushed(
  deps: WorkerDeps,
  claim: Claim,
  { stopped }: AttemptControl,
  performed: Outcome,
  journal: Journal,
): Promise<Outcome> {
  if (stopped?.kind === "unreachable" || stopped?.kind === "lost") return { kind: "released" };
  const isRefused = stopped?.kind === "failed" && performed.kind === "ended" && performed.end.status === "success";
  return isRefused ? failed(deps, claim, "error", describeError(stopped.error), journal) : performed;
}

function openJournal({ storeStep, feed, wakeups, metrics }: AttemptDeps, claim: Claim, control: AttemptControl, lastId: number): Journal {
  return startJournal({
    write: (events, rows) => storeStep({ fence: claim, events, rows }).catch((error) => explainEvents(error, events)),
    lastId,
    committed(events, seconds) {
      metrics.storedEvents(events.length, seconds);
      feed.publish(claim.runId, events);
      const topics = [runTopic(claim.runId)];
      if (events[0]?.id === 0) topics.push(threadTopic(claim.threadId)); // it has begun: who follows the thread follows it now
      wakeups.tellHere(...topics.slice(1));
      wakeups.tellElsewhere(...topics);
    },
    refused: (reason) => control.stop(toStopReason(reason)),
    lostRight: () => new LostRight(claim),
  });
}

/** Throws a refusal with the event that it was probably about; every other error as it is. */
function explainEvents(error: Error, events: RunEvent[]): never {
  const [largest] = events.toSorted((a, b) => b.data.length - a.data.length);
  if (!largest || !(error instanceof Refused)) throw error;
  throw new Refused(
    `The database refuses the run's events: ${error.message}. The largest, "${largest.event}", has ${Buffer.byteLength(largest.data)} bytes.`,
    { cause: error },
  );
}

function toStopReason(error: Error): StopReason {
  if (error instanceof LostRight) return { kind: "lost" };
  return isDatabaseTrouble(error) ? { kind: "unreachable", error } : { kind: "failed", error };
}

/** Runs the graph and says what came of it. */
async function perform(
  deps: WorkerDeps,
  claim: Claim,
  control: AttemptControl,
  journal: Journal,
  { onGraphChange }: AttemptPolicy,
  log: Logger,
): Promise<Outcome> {
  const translator = createTranslator(claim.kwargs, control.noteTask);
  journal.push({ event: "metadata", data: JSON.stringify({ run_id: claim.runId, attempt: claim.attempt }) });
  let graphVersion: string | null = null;
  let failure: unknown;
  try {
    const refused = (reason: Error) => control.stop(toStopReason(reason));
    const judged = <T>(work: () => Promise<T>) => unlessRefused(work, () => tryToStore(deps.pool, claim));
    const { isFresh } = claim;
    const { room, store } = journal;
    const call = await openGraph(deps, claim, { fence: claim, isFresh, refused, room, store, unlessRefused: judged });
    graphVersion = call.version;
    const start = await judged(() => startingPoint(deps, claim, call, onGraphChange)).catch((error) => {
      if (isDatabaseTrouble(error)) refused(error);
      throw error;
    });
    if (start.atBreakpoint) for (const event of translator.onBreakpoint()) journal.push(event);
    else await streamGraph(call, start, claim, control, translator, journal);
  } catch (error) {
    failure = error;
    if (!control.stopped && !isGraphDrained(error)) log.warn({ err: error }, "run failed");
  }
  const outcome = control.stopped
    ? await outcomeOfStop(deps, claim, control.stopped, translator, journal)
    : await outcomeOfGraph(deps, claim, failure, translator, journal);
  return outcome.kind === "ended" ? { ...outcome, end: { ...outcome.end, graphVersion } } : outcome;
}

async function outcomeOfGraph(
  deps: WorkerDeps,
  claim: Claim,
  failure: unknown,
  translator: StreamTranslator,
  journal: Journal,
): Promise<Outcome> {
  if (failure === undefined) return succeeded(deps, claim, translator);
  if (failure instanceof LostRight) return { kind: "lost" };
  if (isGraphDrained(failure)) return { kind: "released" };
  return failed(deps, claim, "error", describeError(failure), journal);
}
