import type { Scope } from "../db/scope.ts";
import { threadTopic } from "../runs/run.ts";
import type { ThreadEvent } from "../streaming/event.ts";
import { findThread } from "../threads/threads.ts";
import type { ApiRooms } from "./rooms.ts";

const pollMs = 1_000;

/** The events of a thread, as soon as the caller may see it: one that is not there, or not theirs, may yet be. */
export async function* followVisible(
  { pool, wakeups, threadFeed }: ApiRooms,
  readable: Scope | undefined,
  { threadId, since }: { threadId: string; since: number },
  signal: AbortSignal,
): AsyncGenerator<ThreadEvent[], void> {
  while (!signal.aborted) {
    const begun = wakeups.next(threadTopic(threadId), pollMs, signal); // armed before the look
    if (readable && (await findThread(pool, readable, threadId))) return yield* threadFeed.follow(threadId, since, signal);
    await begun;
  }
}
