import type { FastifyReply, FastifyRequest } from "fastify";
import { orAborted } from "../../db/abort.ts";
import { concernsAllStatements } from "../../db/failure.ts";
import type { Scope } from "../../db/scope.ts";
import type { RunEvent } from "../../events/log.ts";
import { getOutcome } from "../../runs/read.ts";
import { endTopic } from "../../runs/run.ts";
import { valuesAfterRun } from "../../state/state.ts";
import { findThread } from "../../threads/threads.ts";
import { type Followed, keepAsking, lineOf } from "../admission/recheck.ts";
import type { ApiDeps } from "../api-deps.ts";
import { cancelRuns } from "../runs/cancel-runs.ts";
import { withFeedback, withFeedbackUrls } from "./feedback-urls.ts";
import { openEventStream } from "./sse.ts";

const pollMs = 1_000;

/** A run that the client may see. */
interface VisibleRun {
  /** The scope that auth returned for the client when the run was found or created. It includes the run. */
  scope: Scope;
  runId: string;
  threadId: string;
}

/** A run that a client follows or waits for. */
interface FollowedRun extends VisibleRun {
  /** The scope with which the run is cancelled when the client disconnects. Undefined if the run should continue in this case. */
  cancelScope: Scope | undefined;
  followed: Followed;
}

export interface RunStream extends FollowedRun {
  /** The id of the last event that the client has received, or -1 if the client has received no event. */
  after: number;
  /** The stream modes that the client has requested. Undefined means all modes. */
  modes?: string[];
  /** Stops counting this client against the limits on open streams. */
  leave: () => void;
}

export interface RunWait extends FollowedRun {
  /**
   * Resolves when the new run has ended, or after a second. The caller started this wait before it created the run, so that it cannot miss
   * the notification of the run's end. Undefined for a run that already existed.
   */
  firstWord?: Promise<void> | undefined;
}

/**
 * Streams a run to a client until the run has ended, and then stops counting the client against the limits on open streams. After an error,
 * closes the connection, because the HTTP status has already been sent.
 */
export async function streamRun(deps: ApiDeps, reply: FastifyReply, run: RunStream): Promise<void> {
  const { runId, after, modes, followed, leave } = run;
  const stream = openEventStream(reply, deps.settings.stalledSeconds);
  keepAsking(deps, reply.request, followed, stream);
  try {
    for await (const events of deps.feed.follow(runId, after, stream.gone)) {
      const wanted = modes ? events.filter((event) => isOfMode(event, modes)) : events;
      if (wanted.length > 0) await stream.send(withFeedbackUrls(wanted, reply.request, deps));
    }
    if (!stream.gone.aborted) stream.end();
  } catch (err) {
    deps.log.debug({ err, run_id: runId }, "stream cut");
    stream.cut();
  } finally {
    leave();
  }
  if (stream.gone.aborted) await cancelAbandoned(deps, run);
}

/**
 * Tells whether a client that has requested these stream modes gets the event. The mode `messages` stands for events such as
 * `messages/partial`, and the mode `messages-tuple` stands for events with the name `messages`.
 */
function isOfMode({ event }: RunEvent, modes: string[]): boolean {
  const name = event.split("|")[0] ?? event;
  if (name === "metadata" || name === "error" || name === "feedback") return true;
  if (name === "messages") return modes.includes("messages-tuple");
  return modes.includes(name.split("/")[0] ?? name);
}

/**
 * Waits for a run and responds with its output. Sends the status and the headers before it waits, because the SDK would repeat the request
 * after an error status. A newline every second keeps the connection open, which is harmless because JSON may begin with white space.
 */
export async function waitForRun(deps: ApiDeps, reply: FastifyReply, run: RunWait): Promise<void> {
  const headers = { ...reply.getHeaders(), "content-type": "application/json; charset=utf-8" };
  reply.hijack();
  const { raw } = reply;
  const line = lineOf(reply);
  keepAsking(deps, reply.request, run.followed, line);
  raw.on("error", () => {});
  raw.writeHead(200, headers as Record<string, string>);
  raw.flushHeaders();
  const wait = { signal: line.gone, firstWord: run.firstWord, whileWaiting: () => raw.write("\n"), request: reply.request };
  const output = await runOutput(deps, run, wait).catch((err) => {
    deps.log.error({ err, run_id: run.runId }, "wait failed");
    raw.destroy();
  });
  if (!line.gone.aborted && !raw.destroyed) raw.end(output ?? "{}");
  else await cancelAbandoned(deps, run);
}

interface Wait extends Pick<RunWait, "firstWord"> {
  signal: AbortSignal;
  /** Called about once a second while the run is open. */
  whileWaiting?: () => void;
  /** The request of a client that gets the run's feedback URLs with the output. Undefined for an output without URLs. */
  request?: FastifyRequest;
}

/**
 * Waits until a run has ended, and returns its output as JSON text, or null if there is no output. Returns undefined if the signal aborts
 * first. If `firstWord` is given, does not query the database before `firstWord` has resolved.
 */
export async function runOutput(
  deps: ApiDeps,
  run: VisibleRun,
  { signal, firstWord, whileWaiting, request }: Wait,
): Promise<string | null | undefined> {
  if (firstWord) await orAborted(firstWord, signal);
  while (!signal.aborted) {
    const over = deps.wakeups.next(endTopic(run.runId), pollMs, signal); // subscribes before the query, so that it cannot miss the end of the run
    try {
      const outcome = await getOutcome(deps.pool, run.runId);
      if (!outcome?.open) {
        const output = outcome?.output ?? (await outputOfThread(deps, run, outcome?.passed ?? false));
        return request && outcome?.hasFeedback ? await withFeedback(deps, request, run.runId, output) : output;
      }
    } catch (error) {
      // If the database does not respond, the run may still be open, so the loop continues. Any other error, such as an output that cannot
      // be decrypted, ends the wait.
      if (!concernsAllStatements(error)) throw error;
    }
    await over;
    if (!signal.aborted) whileWaiting?.();
  }
  return undefined;
}

/**
 * Returns the output of a run whose row does not contain it. If no later run has changed the thread, the output is the thread's present
 * values. Otherwise, it is the state at the run's last checkpoint. If that checkpoint is deleted, the present values are returned all the
 * same.
 */
async function outputOfThread(
  { pool, registry }: ApiDeps,
  { scope, threadId, runId }: VisibleRun,
  passed: boolean,
): Promise<string | null> {
  const left = passed ? await valuesAfterRun(pool, scope, registry, threadId, runId) : null;
  return left ?? textOf((await findThread(pool, scope, threadId))?.values);
}

const textOf = (values: unknown) => (values === undefined || values === null ? null : JSON.stringify(values));

/** Cancels a run whose client has disconnected, if the client requested this. */
export async function cancelAbandoned(
  deps: ApiDeps,
  { cancelScope, runId, threadId }: Omit<FollowedRun, "scope" | "followed">,
): Promise<void> {
  if (!cancelScope) return;
  await cancelRuns(deps, cancelScope, { threadId, runIds: [runId], action: "interrupt" }).catch((err) =>
    deps.log.error({ err, run_id: runId }, "abandoned run not cancelled"),
  );
}
