import type { CheckpointRows } from "../checkpoints/rows.ts";
import { LostRight } from "../checkpoints/saver.ts";
import { Refused } from "../db/refused.ts";
import { runTopic } from "../events/feed.ts";
import { type LoggedEvent, newestEventId, type RunEvent } from "../events/log.ts";
import type { Claim } from "../runs/claim.ts";
import { threadTopic } from "../runs/run.ts";
import { type Attempt, type AttemptPolicy, graphIdOf } from "./attempt.ts";
import { type AttemptControl, stopReasonOf } from "./control.ts";
import { type Journal, startJournal } from "./journal.ts";
import { LetterBuffer } from "./letter-buffer.ts";
import { SpanRecorder } from "./spans.ts";
import { createTranslator } from "./translator.ts";
import { MeteredCalls } from "./usage-meter.ts";
import type { AttemptDeps } from "./worker-deps.ts";

/** Creates the attempt of a claimed run. Its event numbers continue those of earlier attempts. */
export async function prepare(deps: AttemptDeps, claim: Claim, control: AttemptControl, policy: AttemptPolicy): Promise<Attempt> {
  const { runId, threadId, attempt, waitedSeconds } = claim;
  const spans = new SpanRecorder();
  const log = deps.log.child({ run_id: runId, thread_id: threadId, attempt });
  log.info({ graph_id: graphIdOf(claim), waited_ms: Math.round(waitedSeconds * 1000) }, "run started");
  const lastId = attempt > 1 ? await newestEventId(deps.pool, runId) : -1;
  const letters = new LetterBuffer(claim);
  const journal = openJournal({ deps, claim, control, spans, letters }, lastId);
  const translator = createTranslator(claim.kwargs, (task) => {
    control.noteTask(task);
    spans.noteTask(task);
  });
  const calls = new MeteredCalls({ queueKey: claim.queueKey, graphId: graphIdOf(claim) }, deps, spans);
  const box = deps.statistics.callsOf(graphIdOf(claim), runId, answeredAt(claim));
  return { deps, claim, control, policy, log, journal, letters, spans, calls, box, translator, graphVersion: null };
}

/**
 * For a later attempt of a run that answers a question, returns when the run was created, in milliseconds since 1970. Returns undefined for
 * a first attempt, and for a run that answers no question.
 */
function answeredAt({ attempt, kwargs, claimedAt, waitedSeconds }: Claim): number | undefined {
  const isAnswer = Object(kwargs.command).resume !== undefined;
  return attempt > 1 && isAnswer ? Math.round(claimedAt - waitedSeconds * 1_000) : undefined;
}

type Parts = Pick<Attempt, "deps" | "claim" | "control" | "spans" | "letters">;

function openJournal({ deps, claim, control, spans, letters }: Parts, lastId: number): Journal {
  return startJournal({
    write: (events, rows) =>
      letters
        .storedWith(rows.writes, (items) => deps.storeStep({ fence: claim, events, rows: withSpans(rows, spans), items }))
        .catch((error) => explainEvents(error, events)),
    lastId,
    committed: (events, seconds) => publish(deps, claim, events, seconds),
    refused: (reason) => control.stop(stopReasonOf(reason)),
    lostRight: () => new LostRight(claim),
  });
}

/**
 * Adds the spans that have ended since the previous checkpoint to the last checkpoint in `rows`. Does nothing if `rows` contains no
 * checkpoint.
 */
function withSpans(rows: CheckpointRows, spans: SpanRecorder): CheckpointRows {
  const last = rows.checkpoints.at(-1);
  const text = last && spans.takeNew();
  return last && text ? { ...rows, checkpoints: [...rows.checkpoints.slice(0, -1), { ...last, spans: text }] } : rows;
}

/** Passes events to the run's subscribers after the events have been committed. */
function publish({ metrics, feed, wakeups }: AttemptDeps, { runId, threadId }: Claim, events: LoggedEvent[], seconds: number): void {
  metrics.storedEvents(events.length, seconds);
  feed.publish(runId, events);
  const begins = events[0]?.id === 0; // A run begins with event 0. Its thread's subscribers are then notified, and follow the run themselves.
  if (begins) wakeups.notifyHere(threadTopic(threadId));
  wakeups.notifyElsewhere(runTopic(runId), ...(begins ? [threadTopic(threadId)] : []));
}

/**
 * Rethrows the error of a failed write of events. If the database refused the write, the error's message also names the largest event,
 * because its size is the likely cause.
 */
function explainEvents(error: Error, events: RunEvent[]): never {
  const [largest] = events.toSorted((a, b) => b.data.length - a.data.length);
  if (!largest || !(error instanceof Refused)) throw error;
  throw new Refused(
    `The database refuses the run's events: ${error.message}. The largest, "${largest.event}", has ${Buffer.byteLength(largest.data)} bytes.`,
    { cause: error },
  );
}
