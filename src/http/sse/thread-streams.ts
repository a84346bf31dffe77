import type { FastifyReply } from "fastify";
import type { RunEvent } from "../../events/log.ts";
import { baseAt, readProgress } from "../../runs/thread-runs.ts";
import { followClassic, type ThreadMode } from "../../streaming/classic.ts";
import { type Filter, toMatcher } from "../../streaming/filter.ts";
import { type Followed, keepAsking } from "../admission/recheck.ts";
import { followVisible, type Sight } from "../admission/visible-thread.ts";
import type { ApiDeps } from "../api-deps.ts";
import { withFeedbackUrls } from "./feedback-urls.ts";
import { openEventStream } from "./sse.ts";

/** A thread that a client follows. */
interface FollowedThread {
  threadId: string;
  followed: Followed;
  /** Stops counting this client against the limits on open streams. */
  leave: () => void;
}

export interface ThreadStream extends FollowedThread {
  sight: Sight;
  /** The number of the last event that the client has received. */
  since: number;
  filter: Filter;
}

/** Streams a thread's events to a client in the event streaming protocol. If the thread does not exist yet, waits for it. */
export async function streamThread(deps: ApiDeps, reply: FastifyReply, thread: ThreadStream): Promise<void> {
  const isWanted = toMatcher(thread.filter);
  const read = async function* (gone: AbortSignal) {
    for await (const events of followVisible(deps, thread, gone)) {
      yield events.filter(isWanted).map(({ seq, method, json }) => ({ id: seq, event: method, data: json }));
    }
  };
  await streamWithoutEnd(deps, reply, { ...thread, read });
}

export interface ClassicStream extends FollowedThread {
  /** The number of the last event that the client has received. Undefined for a client that wants only new events. */
  since: number | undefined;
  modes: ThreadMode[];
}

/** Streams the events of a thread's runs to a client, one run after another. Each run's events have the form of a run stream. */
export async function streamThreadRuns(deps: ApiDeps, reply: FastifyReply, thread: ClassicStream): Promise<void> {
  const { threadId, since: given, modes, leave } = thread;
  try {
    const now = await readProgress(deps.pool, threadId);
    const since = given ?? now.through;
    const from = given === undefined ? now.base : await baseAt(deps.pool, threadId, given);
    const read = async function* (gone: AbortSignal) {
      for await (const run of deps.threadFeed.runs(threadId, from, gone)) yield* followClassic(deps, run, { since, modes }, gone);
    };
    await streamWithoutEnd(deps, reply, { ...thread, read });
  } finally {
    leave();
  }
}

interface EndlessStream extends FollowedThread {
  read: (gone: AbortSignal) => AsyncGenerator<RunEvent[], void>;
}

/**
 * Sends events until the client has disconnected or `read` has ended. Then stops counting the client against the limits on open streams.
 * Closes the connection abruptly even if there was no error, because the SDK would interpret a clean end as the end of a run.
 */
async function streamWithoutEnd(deps: ApiDeps, reply: FastifyReply, { threadId, followed, leave, read }: EndlessStream): Promise<void> {
  const stream = openEventStream(reply, deps.settings.stalledSeconds);
  keepAsking(deps, reply.request, followed, stream);
  try {
    for await (const events of read(stream.gone)) if (events.length > 0) await stream.send(withFeedbackUrls(events, reply.request, deps));
  } catch (err) {
    deps.log.debug({ err, thread_id: threadId }, "stream cut");
  } finally {
    leave();
    stream.cut();
  }
}
