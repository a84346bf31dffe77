import type { Db } from "../db/sql.ts";
import type { EventFeed } from "../events/feed.ts";
import { type BegunRun, baseAt, findEndedRun, runsBetween } from "../runs/thread-runs.ts";
import type { ThreadEvent } from "./event.ts";
import { createProjection } from "./projection.ts";
import type { ThreadWindow } from "./window.ts";

/** The sources of a run's events: the database, and the feed, which passes on new events. */
export interface EventSources {
  pool: Db;
  feed: EventFeed;
}

/**
 * Yields a run's protocol events from the first one. If the run's row no longer exists at its end, calls `onGone` before it yields the last
 * events.
 */
export async function* followRun(
  { pool, feed }: EventSources,
  run: BegunRun,
  signal: AbortSignal,
  onGone = () => {},
): AsyncGenerator<ThreadEvent[], void> {
  const projection = createProjection(run);
  for await (const events of feed.follow(run.runId, -1, signal)) yield events.flatMap((event) => projection.project(event));
  if (signal.aborted) return;
  const end = await findEndedRun(pool, run.runId);
  if (!end) onGone();
  yield projection.projectEnd(end);
}

interface Replay {
  threadId: string;
  since: number;
  window: ThreadWindow;
  /**
   * True to replay to the end of the run. False to stop at the first event that is still in memory. A follower that falls behind a second
   * time sets this to true, because every replay reads its run from the start.
   */
  toEnd: boolean;
}

/**
 * Yields, to one follower, those events of a thread that `window` no longer holds in memory. Returns the number of the event up to which
 * the follower has then received all events.
 */
export async function* replay(
  sources: EventSources,
  { threadId, since, window, toEnd }: Replay,
  signal: AbortSignal,
): AsyncGenerator<ThreadEvent[], number> {
  let cursor = since;
  let from = await baseAt(sources.pool, threadId, since);
  while (!signal.aborted) {
    const { floor } = window; // read before the query, so that no run that begins meanwhile is missed
    const runs = await runsBetween(sources.pool, { threadId, from }, floor);
    if (runs.length === 0) return Math.max(cursor, floor);
    for (const run of runs) {
      for await (const events of followRun(sources, run, signal)) {
        const missing = events.filter(({ seq }) => seq > cursor);
        cursor = missing.at(-1)?.seq ?? cursor;
        if (missing.length > 0) yield missing;
        if (!toEnd && cursor >= window.floor) return cursor;
      }
      from = run.base + 1;
    }
  }
  return cursor;
}
