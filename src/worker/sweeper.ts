import { setTimeout as sleep } from "node:timers/promises";
import { runTopic } from "../events/feed.ts";
import type { RetentionRules } from "../retention/rules.ts";
import { sweepOnce, trimOnce } from "../retention/sweep.ts";
import { cancelTopic, claimTopic, endTopic } from "../runs/run.ts";
import { timeOutRuns } from "../runs/sweep.ts";
import type { WorkerRooms } from "./rooms.ts";

const pauseMs = 5_000;
/** Threads that are in use are trimmed in between. */
const trimPauseMs = 1_000;

interface SweeperOptions {
  runTimeoutSeconds: number;
  rules: RetentionRules;
}

/** Takes away what nobody can come back to any more, a little at a time, and ends what took too long. */
export function startSweeper({ pool, log, wakeups }: WorkerRooms, { runTimeoutSeconds, rules }: SweeperOptions): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const threads = startClock(rules.ttlSweepMinutes);
  const items = startClock(rules.storeSweepMinutes);

  async function endOverdue(): Promise<void> {
    const runs = await timeOutRuns(pool, runTimeoutSeconds);
    if (runs.length === 0) return;
    log.warn({ runs }, "ended runs that took too long");
    wakeups.tell(cancelTopic, claimTopic, ...runs.map(endTopic), ...runs.map(runTopic));
  }

  /** Returns whether there is more to take away. */
  async function sweep(): Promise<boolean> {
    const which = { expired: threads.isDue(), storeItems: items.isDue() };
    const swept = await sweepOnce(pool, rules, which);
    const more = swept?.more ?? false;
    if (which.expired && swept && !more) threads.startAnew();
    if (which.storeItems && swept && !more) items.startAnew();
    return more;
  }

  function reportTrouble(err: unknown): false {
    log.warn({ err }, "sweep failed, trying again");
    return false;
  }

  async function loop(): Promise<void> {
    while (!stopped.signal.aborted) {
      const more = await sweep().catch(reportTrouble);
      await endOverdue().catch(reportTrouble);
      if (!more) await pause();
    }
  }

  async function pause(): Promise<void> {
    for (let left = pauseMs; left > 0 && !stopped.signal.aborted; left -= trimPauseMs) {
      await sleep(trimPauseMs, undefined, { signal: stopped.signal }).catch(() => {});
      if (rules.keepCheckpoints !== undefined && !stopped.signal.aborted) await trimOnce(pool, rules.keepCheckpoints).catch(reportTrouble);
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

/** Says when so many minutes are over, and at first at once. */
function startClock(minutes = 0) {
  let dueAt = 0;
  return {
    isDue: () => performance.now() >= dueAt,
    startAnew() {
      dueAt = performance.now() + minutes * 60_000;
    },
  };
}
