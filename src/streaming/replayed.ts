import type { Db } from "../db/sql.ts";
import { readEvents } from "../events/log.ts";
import { type BegunRun, baseAt, findEndedRun, readProgress, runsBetween } from "../runs/thread-runs.ts";
import type { ThreadEvent } from "./event.ts";
import { createProjection } from "./projection.ts";

/**
 * Returns the number of past events of a thread that pass a filter and have a number above `since`. A new subscriber with this filter gets
 * these events immediately.
 */
export async function countReplayed(db: Db, threadId: string, since: number, isWanted: (event: ThreadEvent) => boolean): Promise<number> {
  const { through } = await readProgress(db, threadId);
  const isReplayed = (event: ThreadEvent) => event.seq > since && event.seq <= through && isWanted(event);
  let count = 0;
  let from = await baseAt(db, threadId, since);
  for (let runs = await page(); runs.length > 0; runs = await page()) {
    for (const run of runs) {
      for await (const events of projectSoFar(db, run)) count += events.filter(isReplayed).length;
      from = run.base + 1;
    }
  }
  return count;

  function page(): Promise<BegunRun[]> {
    return runsBetween(db, { threadId, from }, through + 1);
  }
}

async function* projectSoFar(db: Db, run: BegunRun): AsyncGenerator<ThreadEvent[], void> {
  const projection = createProjection(run);
  let after = -1;
  for (let more = true; more; ) {
    const page = (await readEvents(db, [{ runId: run.runId, after }])).get(run.runId);
    yield (page?.events ?? []).flatMap((event) => projection.project(event));
    after = page?.events.at(-1)?.id ?? after;
    more = page?.more ?? false;
  }
  const end = await findEndedRun(db, run.runId);
  if (end && end.status !== "pending" && end.status !== "running") yield projection.projectEnd(end);
}
