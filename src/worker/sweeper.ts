import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import type { Logger } from "pino";
import { deleteThreadCheckpoints } from "../checkpoints/lifecycle.ts";
import { transaction } from "../db/sql.ts";
import { sweepEvents } from "../runs/sweep.ts";
import { deleteThreadRow, findSpentThreads } from "../threads/threads.ts";

const pauseMs = 5_000;
const batch = 200;

/** Takes away what nobody can come back to any more, a little at a time. Several processes may sweep: rows in hand are skipped. */
export function startSweeper(pool: Pool, log: Logger): { stop(): Promise<void> } {
  const stopped = new AbortController();

  async function loop(): Promise<void> {
    while (!stopped.signal.aborted) {
      const swept = await sweepOnce(pool).catch((err) => {
        log.warn({ err }, "sweep failed, trying again");
        return 0;
      });
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
  const threads = await transaction(pool, async (tx) => {
    const spent = await findSpentThreads(tx, batch);
    for (const threadId of spent) {
      await deleteThreadCheckpoints(tx, threadId);
      await deleteThreadRow(tx, threadId);
    }
    return spent.length;
  });
  return Math.max(events, threads);
}
