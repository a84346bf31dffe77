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

/** Streams a thread's events to a client in the event streaming protocol. The thread may not exist yet. */
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
  /** The number of the last event that the client has. Undefined sends new events only. */
  since: number | undefined;
  modes: ThreadMode[];
  followed: Followed;
}

/** Streams the runs of a thread to a client as classic streams, one after another. */
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
 * Sends events until the client or the source is gone, then releases the client's place. The stream has no clean end, so the connection is
 * always cut.
 */
async function streamWithoutEnd(
  deps: ApiDeps,
  leave: () => void,
  reply: FastifyReply,
  { threadId, followed }: Pick<ThreadFollowOptions, "threadId" | "followed">,
  read: (gone: AbortSignal) => AsyncGenerator<RunEvent[], void>,
): Promise<void> {
  const stream = openEventStream(reply, deps.settings.stalledSeconds);
  keepAsking(deps, reply.request, followed, stream);
  try {
    for await (const events of read(stream.gone)) if (events.length > 0) await stream.send(events);
  } catch (err) {
    deps.log.debug({ err, thread_id: threadId }, "stream cut");
  } finally {
    leave();
    stream.cut();
  }
}
