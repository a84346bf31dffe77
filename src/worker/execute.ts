import { untilDatabaseAnswers } from "../db/failure.ts";
import { type Claim, releaseRun } from "../runs/claim.ts";
import { noteAttemptSpan } from "../runs/trace.ts";
import { type AttemptPolicy, graphIdOf } from "./attempt.ts";
import { conclude, decidedBefore } from "./conclude.ts";
import type { AttemptControl } from "./control.ts";
import { open } from "./open.ts";
import { prepare } from "./prepare.ts";
import { settle } from "./settle.ts";
import { stream } from "./stream.ts";
import type { AttemptDeps } from "./worker-deps.ts";

/** Executes one attempt of a run, from its claim to its end, and records metrics and traces. The promise never rejects. */
export async function executeRun(deps: AttemptDeps, claim: Claim, control: AttemptControl, policy: AttemptPolicy): Promise<void> {
  const { metrics, tracing, pool, log, statistics } = deps;
  const graphId = graphIdOf(claim);
  const begun = performance.now();
  metrics.claimed(claim);
  if (claim.attempt === 1) statistics.began(graphId, claim.dueSeconds);
  const span = tracing?.startAttempt({ ...claim, graphId });
  // This write is not awaited, so that it does not delay the attempt.
  if (span?.traceparent) noteAttemptSpan(pool, claim, span.traceparent).catch((err) => log.debug({ err }, "span not noted"));
  const work = () => runAttempt(deps, claim, control, policy).catch((error) => giveUp(deps, claim, error));
  const became = await (span ? span.during(work) : work());
  span?.end(became);
  const seconds = (performance.now() - begun) / 1000;
  metrics.ended(graphId, became, seconds);
  statistics.ended(graphId, became, claim.ranSeconds + seconds);
}

/** Runs the steps of the attempt. Returns the outcome as one word, for logs and metrics. */
async function runAttempt(deps: AttemptDeps, claim: Claim, control: AttemptControl, policy: AttemptPolicy): Promise<string> {
  const attempt = await prepare(deps, claim, control, policy);
  const decided = await decidedBefore(attempt);
  if (decided) return settle(attempt, decided);
  return open(attempt)
    .then((graph) => stream(attempt, graph))
    .then(
      () => conclude(attempt),
      (error) => conclude(attempt, { error }),
    )
    .then(async (outcome) => {
      await attempt.calls.stored(); // so that the usage can be read as soon as the run has ended
      return settle(attempt, outcome);
    });
}

/** Returns the run to the queue after an error that no step has handled. Returns the outcome as one word. */
async function giveUp({ pool, log }: AttemptDeps, claim: Claim, error: unknown): Promise<string> {
  const { runId: run_id, threadId: thread_id, attempt } = claim;
  log.error({ err: error, run_id, thread_id, attempt }, "attempt failed");
  await untilDatabaseAnswers(() => releaseRun(pool, claim)).catch((err) =>
    log.error({ err, run_id, thread_id, attempt }, "run could not be released"),
  );
  return "failed";
}
