import type { FastifyReply } from "fastify";
import type { RunEvent } from "../../events/log.ts";
import { baseAt, readProgress } from "../../runs/thread-runs.ts";
import { followClassic, type ThreadMode } from "../../streaming/classic.ts";
import { type Filter, toMatcher } from "../../streaming/filter.ts";
import { type Followed, keepAsking } from "../admission/recheck.ts";
import { followVisible, type Sight } from "../admission/visible-thread.ts";
import type { ApiDeps } from "../api-deps.ts";
import { openEventStream } from "./sse.ts";

export interface ThreadFollowOptions {
  sight: Sight;
  threadId: string;
  /** The number of the last event that the client has. */
  since: number;
  filter: Filter;
  followed: Followed;
}

/** Streams a thread to a client, in the words of event streaming. The thread may be yet to come. */
export async function streamThread(
  deps: ApiDeps,
  leave: () => void,
  reply: FastifyReply,
  { sight, threadId, since, filter, followed }: ThreadFollowOptions,
): Promise<void> {
  const isWanted = toMatcher(filter);
  await streamWithoutEnd(deps, leave, reply, { threadId, followed }, async function* (gone) {
    for await (const events of followVisible(deps, sight, { threadId, since }, gone)) {
      yield events.filter(isWanted).map(({ seq, method, json }) => ({ id: seq, event: method, data: json }));
    }
  });
}

export interface ClassicFollowOptions {
  threadId: string;
  /** The number of the last event that the client has; undefined: what has happened is of no interest. */
  since: number | undefined;
  modes: ThreadMode[];
  followed: Followed;
}

/** Streams the runs of a thread to a client as classic streams, one after the other. */
export async function streamThreadRuns(
  deps: ApiDeps,
  leave: () => void,
  reply: FastifyReply,
  { threadId, since: given, modes, followed }: ClassicFollowOptions,
): Promise<void> {
  try {
    const now = await readProgress(deps.pool, threadId);
    const since = given ?? now.through;
    const from = given === undefined ? now.base : await baseAt(deps.pool, threadId, given);
    await streamWithoutEnd(deps, leave, reply, { threadId, followed }, async function* (gone) {
      for await (const run of deps.threadFeed.runs(threadId, from, gone)) yield* followClassic(deps, run, { since, modes }, gone);
    });
  } finally {
    leave();
  }
}

/**
 * Sends what comes until one of both is gone, and leaves the place that was taken for it. The line has no clean end: whatever happens,
 * it is cut.
 */
async function streamWithoutEnd(
  deps: ApiDeps,
  leave: () => void,
  reply: FastifyReply,
  { threadId, followed }: Pick<ThreadFollowOptions, "threadId" | "followed">,
  tell: (gone: AbortSignal) => AsyncGenerator<RunEvent[], void>,
): Promise<void> {
  const stream = openEventStream(reply, deps.settings.stalledSeconds);
  keepAsking(deps, reply.request, followed, stream);
  try {
    for await (const events of tell(stream.gone)) if (events.length > 0) await stream.send(events);
  } catch (err) {
    deps.log.debug({ err, thread_id: threadId }, "stream cut");
  } finally {
    leave();
    stream.cut();
  }
}
