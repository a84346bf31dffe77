import type { FastifyRequest } from "fastify";
import type { Scope } from "../../db/scope.ts";
import type { ThreadEvent } from "../../streaming/event.ts";
import { findThread, getThread } from "../../threads/threads.ts";
import type { ApiDeps } from "../api-deps.ts";
import type { Followed } from "./recheck.ts";

export interface Sight {
  /** The scope of the threads that the caller may read. Undefined until auth has decided about the caller. */
  readable: Scope | undefined;
  /**
   * True after the caller was allowed to see this thread once. From then on, the connection is closed if the caller may no longer see it.
   */
  isSeen: boolean;
}

/** A thread that a caller wants to follow, and auth's decisions about the caller so far. */
interface ThreadInSight {
  threadId: string;
  sight: Sight;
}

/**
 * Returns the checks that are repeated while a caller follows a thread. Before the thread becomes visible to the caller, `find` always
 * passes.
 */
export function inSight({ pool }: ApiDeps, request: FastifyRequest, { threadId, sight }: ThreadInSight): Followed {
  return {
    async decide() {
      const { scope } = await request.access("threads:read", { thread_id: threadId });
      if (sight.readable) sight.readable = scope;
      return scope;
    },
    find: async (scope) => sight.isSeen && getThread(pool, scope, threadId),
  };
}

/**
 * Yields the events of a thread. If the thread does not exist, or the caller may not read it, waits until the thread exists and the caller
 * may read it.
 */
export async function* followVisible(
  { pool, threadFeed }: ApiDeps,
  { threadId, sight, since }: ThreadInSight & { since: number },
  signal: AbortSignal,
): AsyncGenerator<ThreadEvent[], void> {
  let changedAt: string | undefined;
  while (!signal.aborted) {
    if (sight.readable && (await findThread(pool, sight.readable, threadId))) {
      sight.isSeen = true;
      return yield* threadFeed.follow(threadId, since, signal);
    }
    changedAt = await threadFeed.change(threadId, changedAt, signal);
    if (changedAt === undefined && !signal.aborted) throw new Error("This process is stopping.");
  }
}
