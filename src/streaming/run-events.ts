import type { Db } from "../db/sql.ts";
import type { EventFeed } from "../events/feed.ts";
import { type BegunRun, baseAt, findEndedRun, runsBetween } from "../runs/thread-runs.ts";
import type { ThreadEvent } from "./event.ts";
import { createProjection } from "./projection.ts";
import type { ThreadWindow } from "./window.ts";

/** The sources of a run's events: the database, and the feed, which passes on new events of runs. */
export interface EventSources {
  pool: Db;
  feed: EventFeed;
}

/**
 * Yields a run's events, starting with the first. If the run no longer exists when it ends, calls `onGone` before it yields the last
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
   * True to replay up to the end of the run. False to stop at the first event that is still in memory. A follower that falls behind a
   * second time passes true, because every replay reads its run from the start.
   */
  toEnd: boolean;
}

/**
 * Yields to one follower the events of a thread that are no longer in memory (`window`). Returns the event number up to which the
 * follower then has everything.
 */
export async function* replay(
  sources: EventSources,
  { threadId, since, window, toEnd }: Replay,
  signal: AbortSignal,
): AsyncGenerator<ThreadEvent[], number> {
  let cursor = since;
  let from = await baseAt(sources.pool, threadId, since);
  while (!signal.aborted) {
    const { floor } = window; // read before the query, so that no run in between can be missed
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
