import type { FastifyReply, FastifyRequest } from "fastify";
import type { NewRun } from "../../runs/create.ts";
import { endTopic, type Run } from "../../runs/run.ts";
import { alreadyDecided } from "../admission/access.ts";
import { type StreamCounts, takePlaceAtRun } from "../admission/places.ts";
import { ownRequest } from "../admission/recheck.ts";
import type { ApiDeps } from "../api-deps.ts";
import { streamRun, waitForRun } from "../sse/follow.ts";
import { makeRun } from "./make-runs.ts";
import { type RunCreateBody, toNewRun } from "./run-request.ts";

/** The request that starts a run, with the reply to this request. */
export interface Start {
  request: FastifyRequest;
  reply: FastifyReply;
  body: RunCreateBody;
  /** The thread on which the run executes. Undefined for a run that gets a new thread of its own. */
  threadId?: string;
}

export type StartDeps = ApiDeps & { counts: StreamCounts };

const newRunOf = ({ settings }: ApiDeps, { request, body, threadId }: Start): NewRun =>
  toNewRun(settings, body, { threadId, headers: request.headers });

/** Creates a run and responds with it, without waiting for its end. */
export async function startRun(deps: ApiDeps, start: Start): Promise<FastifyReply> {
  const run = await makeRun(deps, start.request, newRunOf(deps, start));
  return start.reply.header("content-location", runPath(start, run)).send(run);
}

/**
 * Creates a run and streams it. Two steps come before the run is created:
 * - The feed, which passes events to followers, gets the run's id. The stream can thus begin without a query, and misses no event.
 * - The client is counted against the limits on open streams. A client over a limit is refused, and tries again. If the run were created
 * first, each try would create another run.
 */
export async function startAndStream(deps: StartDeps, start: Start): Promise<void> {
  const wanted = newRunOf(deps, start);
  const leave = takePlaceAtRun(deps, start.request, wanted.runId);
  const forget = deps.feed.expect(wanted.runId);
  try {
    const run = await makeRun(deps, start.request, wanted);
    await stream(deps, start, { run, leave });
  } finally {
    forget();
    leave();
  }
}

async function stream(deps: ApiDeps, start: Start, { run, leave }: { run: Run; leave: () => void }): Promise<void> {
  const { reply } = start;
  const cancelScope = cancelScopeOf(start);
  reply.header("content-location", runPath(start, run));
  // The SDK reconnects to this URL after a broken connection. Without the header, the SDK does not reconnect, which is right for a run that
  // is cancelled on disconnect.
  if (!cancelScope) reply.header("location", `${runPath(start, run)}/stream`);
  await streamRun(deps, reply, {
    leave,
    scope: alreadyDecided,
    runId: run.run_id,
    threadId: run.thread_id,
    after: -1,
    cancelScope,
    followed: ownRequest,
  });
}

/**
 * Creates a run, and responds with its output when the run has ended. First counts the client against the limits on open streams, so that a
 * refused client leaves no run behind.
 */
export async function startAndWait(deps: StartDeps, start: Start): Promise<void> {
  const wanted = newRunOf(deps, start);
  const leave = takePlaceAtRun(deps, start.request, wanted.runId);
  await makeAndWait(deps, start, wanted).finally(leave);
}

/** Creates a run and waits for its end. Subscribes to the run's end before it creates the run, so that it cannot miss the notification. */
async function makeAndWait(deps: ApiDeps, start: Start, wanted: NewRun): Promise<void> {
  const { request, reply } = start;
  const left = new AbortController();
  const firstWord = deps.wakeups.next(endTopic(wanted.runId), 1_000, left.signal);
  const run = await makeRun(deps, request, wanted).catch((error) => {
    left.abort();
    throw error;
  });
  reply.header("content-location", runPath(start, run));
  reply.header("location", `/threads/${run.thread_id}/runs/${run.run_id}/join`);
  const place = { scope: alreadyDecided, runId: run.run_id, threadId: run.thread_id };
  // `firstWord` waits for the end of a newly created run. If the Idempotency-Key has returned an older run, `firstWord` does not concern
  // that run and is not used.
  const heard = run.run_id === wanted.runId ? firstWord : undefined;
  await waitForRun(deps, reply, { ...place, cancelScope: cancelScopeOf(start), followed: ownRequest, firstWord: heard });
}

const cancelScopeOf = ({ body }: Start) => (body.on_disconnect === "cancel" ? alreadyDecided : undefined);

/** Returns the path of the run. The path includes the thread if the request's path named the thread. */
const runPath = ({ threadId }: Start, run: Run) => `${threadId === undefined ? "" : `/threads/${threadId}`}/runs/${run.run_id}`;
