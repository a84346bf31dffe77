import { setTimeout as sleep } from "node:timers/promises";
import { runTopic } from "../events/feed.ts";
import type { RetentionRules } from "../retention/rules.ts";
import { sweepOnce, trimOnce } from "../retention/sweep.ts";
import { endRunsOfAbsentGraphs, noteAbsentGraphs } from "../runs/absent.ts";
import { repairHeads } from "../runs/heads.ts";
import { cancelTopic, claimTopic, endTopic } from "../runs/run.ts";
import { timeOutRuns } from "../runs/sweep.ts";
import type { Walk } from "../threads/retention.ts";
import type { WorkerDeps } from "./worker-deps.ts";

const pauseMs = 5_000;
/** How often the heads of all threads are looked at. */
const headMinutes = 1;
/** How many temporary threads a sweep looks at. */
const temporaryStep = 2_000;
/** Threads that are in use are trimmed in between. */
const trimPauseMs = 1_000;

interface SweeperOptions {
  runTimeoutSeconds: number;
  /** How long a run waits for a worker that has its graph. Undefined: without end. */
  graphWaitSeconds: number | undefined;
  rules: RetentionRules;
}

/** Takes away what nobody can come back to any more, a little at a time, and ends what took too long. */
export function startSweeper(
  { pool, log, wakeups, metrics }: WorkerDeps,
  { runTimeoutSeconds, graphWaitSeconds, rules }: SweeperOptions,
): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const threads = startClock(rules.ttlSweepMinutes);
  const items = startClock(rules.storeSweepMinutes);
  const heads = startClock(headMinutes);
  const temporary: Walk = { step: temporaryStep, last: undefined };

  async function endOverdue(): Promise<void> {
    const runs = await timeOutRuns(pool, runTimeoutSeconds);
    if (runs.length > 0) log.warn({ runs }, "ended runs that took too long");
    tellEnds(runs);
  }

  function tellEnds(runs: string[]): void {
    if (runs.length > 0) wakeups.tell(cancelTopic, claimTopic, ...runs.map(endTopic), ...runs.map(runTopic));
  }

  /** Says once which graphs runs wait for in vain, and ends those that have waited for too long. */
  async function watchAbsentGraphs(): Promise<void> {
    for (const { graphId, isNew } of await noteAbsentGraphs(pool))
      if (isNew) log.warn({ graph_id: graphId }, "runs wait for a graph that no live worker has");
    if (graphWaitSeconds === undefined) return;
    for (let ended = [""]; ended.length > 0 && !stopped.signal.aborted; ) {
      ended = await endRunsOfAbsentGraphs(pool, graphWaitSeconds);
      if (ended.length > 0) log.warn({ runs: ended.length }, "ended runs whose graph no worker had for too long");
      tellEnds(ended);
    }
  }

  async function checkHeads(): Promise<void> {
    if (!heads.isDue()) return;
    const threads = await repairHeads(pool);
    heads.startAnew();
    metrics.repairedHeads(threads);
    if (threads === 0) return;
    log.error({ threads }, "threads had the wrong next run or none; it was put right");
    wakeups.tell(claimTopic);
  }

  /** Returns whether there is more to take away. */
  async function sweep(): Promise<boolean> {
    const which = { expired: threads.isDue(), storeItems: items.isDue() };
    const swept = await sweepOnce(pool, rules, which, temporary);
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
      await watchAbsentGraphs().catch(reportTrouble);
      await checkHeads().catch(reportTrouble);
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
