import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import { deleteThreadCheckpoints } from "../checkpoints/lifecycle.ts";
import { transaction } from "../db/sql.ts";
import { runTopic } from "../events/feed.ts";
import { sweepIdempotencyKeys } from "../runs/idempotency.ts";
import { cancelTopic, claimTopic, endTopic } from "../runs/run.ts";
import { sweepEvents, timeOutRuns } from "../runs/sweep.ts";
import { deleteThreadRow, findSpentThreads } from "../threads/threads.ts";
import type { WorkerRooms } from "./rooms.ts";

const pauseMs = 5_000;
const batch = 200;

/**
 * Takes away what nobody can come back to any more, a little at a time, and ends what took too long. Several processes may sweep: rows
 * in hand are skipped.
 */
export function startSweeper({ pool, log, wakeups }: WorkerRooms, runTimeoutSeconds: number): { stop(): Promise<void> } {
  const stopped = new AbortController();

  async function endOverdue(): Promise<void> {
    const runs = await timeOutRuns(pool, runTimeoutSeconds);
    if (runs.length === 0) return;
    log.warn({ runs }, "ended runs that took too long");
    wakeups.tell(cancelTopic, claimTopic, ...runs.map(endTopic), ...runs.map(runTopic));
  }

  function reportTrouble(err: unknown): number {
    log.warn({ err }, "sweep failed, trying again");
    return 0;
  }

  async function loop(): Promise<void> {
    while (!stopped.signal.aborted) {
      const swept = await sweepOnce(pool).catch(reportTrouble);
      await endOverdue().catch(reportTrouble);
      if (swept < batch) await sleep(pauseMs, undefined, { signal: stopped.signal }).catch(() => {});
    }
  }

  const finished = loop();
  return {
    async stop() {
      stopped.abort();
      await finished;
    },
  };
}

/** One batch of each kind. Returns the size of the larger one: a full batch has more behind it. */
export async function sweepOnce(pool: Pool): Promise<number> {
  const events = await sweepEvents(pool, batch);
  const keys = await sweepIdempotencyKeys(pool, batch);
  const threads = await transaction(pool, async (tx) => {
    const spent = await findSpentThreads(tx, batch);
    for (const threadId of spent) {
      await deleteThreadCheckpoints(tx, threadId);
      await deleteThreadRow(tx, threadId);
    }
    return spent.length;
  });
  return Math.max(events, keys, threads);
}
