import type { FastifyReply } from "fastify";
import { orAborted } from "../../db/abort.ts";
import { isDatabaseTrouble } from "../../db/failure.ts";
import type { Scope } from "../../db/scope.ts";
import type { RunEvent } from "../../events/log.ts";
import { getOutcome } from "../../runs/read.ts";
import { endTopic } from "../../runs/run.ts";
import { valuesAfterRun } from "../../state/state.ts";
import { findThread } from "../../threads/threads.ts";
import { type Followed, keepAsking, lineOf } from "../admission/recheck.ts";
import type { ApiDeps } from "../api-deps.ts";
import { cancelRuns } from "../runs/cancel-runs.ts";
import { openEventStream } from "./sse.ts";

const pollMs = 1_000;

export interface FollowOptions {
  /** The rows that the client may see, as decided when the run was found or created. */
  scope: Scope;
  runId: string;
  threadId: string;
  /** The id of the last event that the client has. -1 streams from the start. */
  after: number;
  /** The stream modes to send. Undefined for all. */
  modes?: string[];
  /** The scope in which the run is cancelled when the client disconnects. Undefined if the run continues. */
  cancelScope: Scope | undefined;
  followed: Followed;
}

/**
 * Streams a run to a client until the run is over, then releases the client's place. The status has been sent, so an error can only cut
 * the stream.
 */
export async function streamRun(deps: ApiDeps, leave: () => void, reply: FastifyReply, options: FollowOptions): Promise<void> {
  const { runId, after, modes, followed } = options;
  const stream = openEventStream(reply, deps.settings.stalledSeconds);
  keepAsking(deps, reply.request, followed, stream);
  try {
    for await (const events of deps.feed.follow(runId, after, stream.gone)) {
      const wanted = modes ? events.filter((event) => isOfMode(event, modes)) : events;
      if (wanted.length > 0) await stream.send(wanted);
    }
    if (!stream.gone.aborted) stream.end();
  } catch (err) {
    deps.log.debug({ err, run_id: runId }, "stream cut");
    stream.cut();
  } finally {
    leave();
  }
  if (stream.gone.aborted) await cancelAbandoned(deps, options);
}

/** Returns whether a mode covers an event: `messages` covers `messages/partial` and the like, `messages-tuple` covers plain `messages`. */
function isOfMode({ event }: RunEvent, modes: string[]): boolean {
  const name = event.split("|")[0] ?? event;
  if (name === "metadata" || name === "error") return true;
  if (name === "messages") return modes.includes("messages-tuple");
  return modes.includes(name.split("/")[0] ?? name);
}

/**
 * Waits for a run and answers with its output. A newline every second keeps the connection open, which JSON allows. Headers are sent at
 * once, so that the SDK does not retry the request after a later error.
 */
export async function waitForRun(
  deps: ApiDeps,
  reply: FastifyReply,
  { scope, runId, threadId, cancelScope, followed }: Omit<FollowOptions, "after">,
  firstWord?: Promise<void>,
): Promise<void> {
  const headers = { ...reply.getHeaders(), "content-type": "application/json; charset=utf-8" };
  reply.hijack();
  const { raw } = reply;
  const line = lineOf(reply);
  keepAsking(deps, reply.request, followed, line);
  raw.on("error", () => {});
  raw.writeHead(200, headers as Record<string, string>);
  raw.flushHeaders();
  const run = { runId, threadId };
  const output = await runOutput(deps, scope, run, line.gone, () => raw.write("\n"), firstWord).catch((err) => {
    deps.log.error({ err, run_id: runId }, "wait failed");
    raw.destroy();
  });
  if (!line.gone.aborted && !raw.destroyed) raw.end(output ?? "{}");
  else await cancelAbandoned(deps, { cancelScope, runId, threadId });
}

/**
 * Returns a run's output as JSON as soon as the run is over, or undefined if the signal aborts first. For a new run, `firstWord` is a wait
 * for its end that began before the run was created. The first look at the run comes after it.
 */
export async function runOutput(
  deps: ApiDeps,
  scope: Scope,
  { runId, threadId }: Pick<FollowOptions, "runId" | "threadId">,
  signal: AbortSignal,
  whileWaiting: () => void = () => {},
  firstWord?: Promise<void>,
): Promise<string | null | undefined> {
  if (firstWord) await orAborted(firstWord, signal);
  while (!signal.aborted) {
    const over = deps.wakeups.next(endTopic(runId), pollMs, signal); // subscribes before the query, so that the end is not missed
    try {
      const outcome = await getOutcome(deps.pool, runId);
      if (!outcome?.open) return outcome?.output ?? (await outputOfThread(deps, scope, threadId, outcome?.passed ? runId : undefined));
    } catch (error) {
      if (!isDatabaseTrouble(error)) throw error; // the run continues without the database, and so does the wait
    }
    await over;
    if (!signal.aborted) whileWaiting();
  }
  return undefined;
}

/**
 * Returns the output of a run that did not store it. If its thread has moved on, it comes from the run's last checkpoint. Otherwise, or if
 * that checkpoint is gone, it is the thread's values.
 */
async function outputOfThread(
  { pool, registry }: ApiDeps,
  scope: Scope,
  threadId: string,
  passedRunId: string | undefined,
): Promise<string | null> {
  const left = passedRunId && (await valuesAfterRun(pool, scope, registry, threadId, passedRunId));
  return left ?? textOf((await findThread(pool, scope, threadId))?.values);
}

const textOf = (values: unknown) => (values === undefined || values === null ? null : JSON.stringify(values));

/** Cancels a run whose client has disconnected, if the client asked for that. */
export async function cancelAbandoned(
  deps: ApiDeps,
  { cancelScope, runId, threadId }: Pick<FollowOptions, "cancelScope" | "runId" | "threadId">,
): Promise<void> {
  if (!cancelScope) return;
  await cancelRuns(deps, cancelScope, threadId, "interrupt", [runId]).catch((err) =>
    deps.log.error({ err, run_id: runId }, "abandoned run not cancelled"),
  );
}
