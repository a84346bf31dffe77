import type { FastifyRequest } from "fastify";
import type { Scope } from "../../db/scope.ts";
import type { ThreadEvent } from "../../streaming/event.ts";
import { findThread, getThread } from "../../threads/threads.ts";
import type { ApiDeps } from "../api-deps.ts";
import type { Followed } from "./recheck.ts";

/** Which threads the caller may see, undefined before they are asked, and whether this one was among them already. */
export interface Sight {
  readable: Scope | undefined;
  isSeen: boolean;
}

/** Whoever waits for a thread may go on; whoever has seen it must still be allowed to. */
export function inSight({ pool }: ApiDeps, request: FastifyRequest, threadId: string, sight: Sight): Followed {
  return {
    async decide() {
      const { scope } = await request.access("threads:read", { thread_id: threadId });
      if (sight.readable) sight.readable = scope;
      return scope;
    },
    find: async (scope) => sight.isSeen && getThread(pool, scope, threadId),
  };
}

/** The events of a thread, as soon as the caller may see it: one that is not there, or not theirs, may yet be. */
export async function* followVisible(
  { pool, threadFeed }: ApiDeps,
  sight: Sight,
  { threadId, since }: { threadId: string; since: number },
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
