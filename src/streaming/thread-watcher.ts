import type { Wakeups } from "../db/listen.ts";
import type { Db } from "../db/sql.ts";
import { startWatcher } from "../db/watcher.ts";
import { threadTopic } from "../runs/run.ts";
import { type BegunRun, lastChanges, nextRuns, type RunCursor } from "../runs/thread-runs.ts";

/** Waits for any number of threads, and for their runs. */
export interface ThreadWatcher {
  /** When the thread was last changed, as soon as that is another moment than the one that is known; undefined with the signal. */
  change(threadId: string, known: string | undefined, signal: AbortSignal): Promise<string | undefined>;
  /** The runs of a thread from a base on, in the order in which they began, as they begin. Ends when the thread is gone, or with the signal. */
  runs(threadId: string, from: number, signal: AbortSignal): AsyncGenerator<BegunRun, void>;
  stop(): Promise<void>;
}

type Found = { run: BegunRun } | "thread gone";

/** What somebody knows of a thread. */
interface Known {
  threadId: string;
  known: string | undefined;
}

export function startThreadWatcher(db: Db, wakeups: Wakeups, onError: (error: Error) => void): ThreadWatcher {
  const begun = startWatcher<RunCursor, Found>({ wakeups, look: (cursors) => lookForRuns(db, cursors), onError });
  const changed = startWatcher<Known, string>({ wakeups, look: (asked) => lookForChanges(db, asked), onError });
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

/** Whoever has to wait on goes on from where the next run will be. */
async function lookForRuns(db: Db, cursors: RunCursor[]): Promise<(Found | undefined)[]> {
  const next = await nextRuns(db, cursors);
  return cursors.map((cursor, index): Found | undefined => {
    const { run, known = true, from = cursor.from } = next[index] ?? {};
    cursor.from = from;
    if (run) return { run };
    return known ? undefined : "thread gone";
  });
}

async function lookForChanges(db: Db, asked: Known[]): Promise<(string | undefined)[]> {
  const changes = await lastChanges(
    db,
    asked.map(({ threadId }) => threadId),
  );
  return changes.map((at, index) => (at === asked[index]?.known ? undefined : at));
}
