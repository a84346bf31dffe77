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
   * True to read on to the end of the run, and false to stop at the first event that the window still has in memory. Every replay reads its
   * run from the start. For a follower that falls behind a second time, one long replay is therefore cheaper than several short ones.
   */
  toEnd: boolean;
}

/**
 * Yields the events of a thread that one follower lacks and that `window` no longer holds in memory. Returns an event number. The follower
 * has then received all events up to this number.
 */
export async function* replay(
  sources: EventSources,
  { threadId, since, window, toEnd }: Replay,
  signal: AbortSignal,
): AsyncGenerator<ThreadEvent[], number> {
  let cursor = since;
  let from = await baseAt(sources.pool, threadId, since);
  while (!signal.aborted) {
    const { floor } = window; // must be read before the query, which could otherwise miss a run that begins in between
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
