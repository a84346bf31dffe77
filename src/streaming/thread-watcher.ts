import type { Wakeups } from "../db/listen.ts";
import type { Db } from "../db/sql.ts";
import { startWatcher } from "../db/watcher.ts";
import { threadTopic } from "../runs/run.ts";
import { type BegunRun, lastChanges, nextRuns, type RunCursor } from "../runs/thread-runs.ts";

/** Waits for changes of threads and for their next runs. One statement serves all waiting callers of this process. */
export interface ThreadWatcher {
  /**
   * Resolves with the time of the thread's last change, as soon as this time differs from `known`. Resolves with undefined when the signal
   * aborts.
   */
  change(threadId: string, known: string | undefined, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Yields the runs of a thread as they begin, in order, without the runs before the event number `from`. Ends when the signal aborts, or
   * when the thread is deleted.
   */
  runs(threadId: string, from: number, signal: AbortSignal): AsyncGenerator<BegunRun, void>;
  stop(): Promise<void>;
}

type Found = { run: BegunRun } | "thread gone";

/** A thread for whose change a caller waits. `known` is the time of the last change that the caller knows. */
interface Known {
  threadId: string;
  known: string | undefined;
}

export function startThreadWatcher(db: Db, wakeups: Wakeups, onError: (error: Error) => void): ThreadWatcher {
  const begun = startWatcher<RunCursor, Found>({ wakeups, look: (cursors) => lookForRuns(db, cursors), onError });
  const changed = startWatcher<Known, string>({ wakeups, look: (known) => lookForChanges(db, known), onError });
  const nextRun = async (threadId: string, from: number, signal: AbortSignal): Promise<BegunRun | undefined> => {
    const found = await begun.wait({ threadId, from }, threadTopic(threadId), signal);
    return found === "thread gone" ? undefined : found?.run;
  };
  return {
    async *runs(threadId, from, signal) {
      for (let run = await nextRun(threadId, from, signal); run; run = await nextRun(threadId, run.base + 1, signal)) yield run;
    },
    change: (threadId, known, signal) => changed.wait({ threadId, known }, threadTopic(threadId), signal),
    async stop() {
      await Promise.all([begun.stop(), changed.stop()]);
    },
  };
}

/**
 * Returns the next run for each cursor. If a thread has no next run yet, moves its cursor forward to the event number at which the next run
 * will begin.
 */
async function lookForRuns(db: Db, cursors: RunCursor[]): Promise<(Found | undefined)[]> {
  const next = await nextRuns(db, cursors);
  return cursors.map((cursor, index): Found | undefined => {
    const { run, known = true, from = cursor.from } = next[index] ?? {};
    cursor.from = from;
    if (run) return { run };
    return known ? undefined : "thread gone";
  });
}

async function lookForChanges(db: Db, waiters: Known[]): Promise<(string | undefined)[]> {
  const changes = await lastChanges(
    db,
    waiters.map(({ threadId }) => threadId),
  );
  return changes.map((at, index) => (at === waiters[index]?.known ? undefined : at));
}
