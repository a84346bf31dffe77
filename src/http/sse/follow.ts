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
  /** What the client may see, which was asked when the run was found or made. */
  scope: Scope;
  runId: string;
  threadId: string;
  /** The id of the last event the client has; -1: from the start. */
  after: number;
  /** Only events of these stream modes; undefined: all. */
  modes?: string[];
  /** In which scope the run is cancelled when the client goes away; undefined: it goes on. */
  cancelScope: Scope | undefined;
  followed: Followed;
}

/**
 * Streams a run to a client until it is over, and leaves the place that was taken for it. From here on nothing is answered with a
 * status: the stream ends, or it is cut.
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

/** `messages/partial` and its siblings belong to the mode `messages`; the mode `messages-tuple` speaks as plain `messages`. */
function isOfMode({ event }: RunEvent, modes: string[]): boolean {
  const name = event.split("|")[0] ?? event;
  if (name === "metadata" || name === "error") return true;
  if (name === "messages") return modes.includes("messages-tuple");
  return modes.includes(name.split("/")[0] ?? name);
}

/**
 * Waits for a run and answers what it came to. A newline every second keeps the line open; JSON allows it. Headers leave at once, so
 * that no trouble after this can look to the SDK like a request that may be sent again.
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
 * What a run came to, as JSON, as soon as it is over. Undefined when the signal was faster. For a run that was only just made, `firstWord` is
 * what was listened for before it was made: until then there is nothing to see.
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
    const over = deps.wakeups.next(endTopic(runId), pollMs, signal); // armed before the look, so that the end is not missed
    try {
      const outcome = await getOutcome(deps.pool, runId);
      if (!outcome?.open) return outcome?.output ?? (await outputElsewhere(deps, scope, threadId, outcome?.passed ? runId : undefined));
    } catch (error) {
      if (!isDatabaseTrouble(error)) throw error; // the run goes on without us; so does the wait
    }
    await over;
    if (!signal.aborted) whileWaiting();
  }
  return undefined;
}

/** Of a run whose thread has moved on what its last checkpoint holds; else, and where that is gone, what the thread shows. */
async function outputElsewhere(
  { pool, registry }: ApiDeps,
  scope: Scope,
  threadId: string,
  passedRunId: string | undefined,
): Promise<string | null> {
  const left = passedRunId && (await valuesAfterRun(pool, scope, registry, threadId, passedRunId));
  return left ?? textOf((await findThread(pool, scope, threadId))?.values);
}

const textOf = (values: unknown) => (values === undefined || values === null ? null : JSON.stringify(values));

/** Cancels a run whose client went away, if that is what the client asked for. */
export async function cancelAbandoned(
  deps: ApiDeps,
  { cancelScope, runId, threadId }: Pick<FollowOptions, "cancelScope" | "runId" | "threadId">,
): Promise<void> {
  if (!cancelScope) return;
  await cancelRuns(deps, cancelScope, threadId, "interrupt", [runId]).catch((err) =>
    deps.log.error({ err, run_id: runId }, "abandoned run not cancelled"),
  );
}
