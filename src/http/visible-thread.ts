import type { Scope } from "../db/scope.ts";
import type { ThreadEvent } from "../streaming/event.ts";
import { findThread } from "../threads/threads.ts";
import type { ApiRooms } from "./rooms.ts";

/** The events of a thread, as soon as the caller may see it: one that is not there, or not theirs, may yet be. */
export async function* followVisible(
  { pool, threadFeed }: ApiRooms,
  readable: Scope | undefined,
  { threadId, since }: { threadId: string; since: number },
  signal: AbortSignal,
): AsyncGenerator<ThreadEvent[], void> {
  let changedAt: string | undefined;
  while (!signal.aborted) {
    if (readable && (await findThread(pool, readable, threadId))) return yield* threadFeed.follow(threadId, since, signal);
    changedAt = await threadFeed.change(threadId, changedAt, signal);
    if (changedAt === undefined && !signal.aborted) throw new Error("This process is stopping.");
  }
}
