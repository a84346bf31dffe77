import { setTimeout as sleep } from "node:timers/promises";
import { isEncrypted } from "../encryption/check-key.ts";
import { runTopic } from "../events/feed.ts";
import type { RetentionRules } from "../retention/retention-rules.ts";
import { sweepOnce, trimOnce } from "../retention/sweep.ts";
import { endRunsOfAbsentGraphs, noteAbsentGraphs } from "../runs/absent.ts";
import { repairHeads } from "../runs/heads.ts";
import { sweepSlots, unpark } from "../runs/limit-slots.ts";
import { sweepQueueKeys } from "../runs/queue.ts";
import { cancelTopic, claimTopic, endTopic } from "../runs/run.ts";
import { timeOutRuns } from "../runs/sweep.ts";
import type { Walk } from "../threads/retention.ts";
import type { WorkerDeps } from "./worker-deps.ts";

const pauseMs = 5_000;
/** The interval in minutes at which the sweeper repairs the column `head`, which marks the next run of each thread. */
const headMinutes = 1;
/** The highest number of unused queue keys that one statement deletes. */
const mostKeys = 10_000;
/**
 * The highest number of parked runs that one statement releases for each limit and queue key. A parked run waits because its key has
 * reached a limit.
 */
const mostUnparked = 100;
/** The number of temporary threads that one sweep checks. */
const temporaryStep = 2_000;
/** The interval in milliseconds at which old checkpoints are deleted between two sweeps. */
const trimPauseMs = 1_000;

interface SweeperOptions {
  runTimeoutSeconds: number;
  /** The number of seconds that a run waits for a worker that has its graph. Undefined means that it waits without limit. */
  graphWaitSeconds: number | undefined;
  rules: RetentionRules;
}

/** Starts the sweeper, which deletes expired data in small steps, and ends runs that took too long. */
export function startSweeper(deps: WorkerDeps, options: SweeperOptions): { stop(): Promise<void> } {
  const sweeper = new Sweeper(deps, options);
  const finished = sweeper.run();
  return {
    async stop() {
      sweeper.stopped.abort();
      await finished;
    },
  };
}

class Sweeper {
  readonly stopped = new AbortController();
  readonly #deps: WorkerDeps;
  readonly #options: SweeperOptions;
  readonly #threads: Clock;
  readonly #items: Clock;
  readonly #heads = new Clock(headMinutes);
  #hasReportedKey = false;
  readonly #temporary: Walk = { step: temporaryStep, last: undefined };

  constructor(deps: WorkerDeps, options: SweeperOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#threads = new Clock(options.rules.ttlSweepMinutes);
    this.#items = new Clock(options.rules.storeSweepMinutes);
  }

  async run(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      const more = await this.#sweep().catch(this.#report);
      await this.#endOverdue().catch(this.#report);
      await this.#watchAbsentGraphs().catch(this.#report);
      await this.#checkHeads().catch(this.#report);
      await this.#unpark().catch(this.#report);
      await this.#watchKey().catch(this.#report);
      if (!more) await this.#pause();
    }
  }

  /** Deletes one batch of each kind of expired data. Returns whether more expired data is left. */
  async #sweep(): Promise<boolean> {
    const which = { expired: this.#threads.isDue(), storeItems: this.#items.isDue() };
    const swept = await sweepOnce(this.#deps.pool, this.#options.rules, which, this.#temporary);
    const more = swept?.more ?? false;
    if (which.expired && swept && !more) this.#threads.restart();
    if (which.storeItems && swept && !more) this.#items.restart();
    return more;
  }

  async #endOverdue(): Promise<void> {
    const runs = await timeOutRuns(this.#deps.pool, this.#options.runTimeoutSeconds);
    if (runs.length > 0) this.#deps.log.warn({ runs }, "ended runs that took too long");
    this.#announceEnds(runs);
  }

  /**
   * Logs each graph that a due run needs although no live worker has loaded it. Logs such a graph only once as long as this lasts. Ends
   * runs that have waited too long for their graph.
   */
  async #watchAbsentGraphs(): Promise<void> {
    const { pool, log } = this.#deps;
    const { graphWaitSeconds } = this.#options;
    for (const { graphId, isNew } of await noteAbsentGraphs(pool))
      if (isNew) log.warn({ graph_id: graphId }, "runs wait for a graph that no live worker has");
    if (graphWaitSeconds === undefined) return;
    for (let ended = [""]; ended.length > 0 && !this.stopped.signal.aborted; ) {
      ended = await endRunsOfAbsentGraphs(pool, graphWaitSeconds);
      if (ended.length > 0) log.warn({ runs: ended.length }, "ended runs whose graph no worker had for too long");
      this.#announceEnds(ended);
    }
  }

  /** Logs once that this process lacks the key with which other processes encrypt values. Without the key, this process claims no runs. */
  async #watchKey(): Promise<void> {
    const { cipher, pool, log } = this.#deps;
    if (cipher || this.#hasReportedKey || !(await isEncrypted(pool))) return;
    this.#hasReportedKey = true;
    log.error(
      "other processes encrypt values, and this one has no key, so it claims no runs: restart it with LANGGRAPH_AES_KEY or encryption.path",
    );
  }

  async #checkHeads(): Promise<void> {
    const { pool, log, metrics, wakeups } = this.#deps;
    if (!this.#heads.isDue()) return;
    const threads = await repairHeads(pool);
    await sweepQueueKeys(pool, mostKeys);
    await sweepSlots(pool, mostKeys);
    this.#heads.restart();
    metrics.repairedHeads(threads);
    if (threads === 0) return;
    log.error({ threads }, "threads had the wrong next run or none, and were repaired");
    wakeups.notify(claimTopic);
  }

  /** Makes parked runs claimable if their queue key has a free slot again. Normally, this happens when another run of the key ends. */
  async #unpark(): Promise<void> {
    if ((await unpark(this.#deps.pool, mostUnparked)) > 0) this.#deps.wakeups.notify(claimTopic);
  }

  #announceEnds(runs: string[]): void {
    if (runs.length > 0) this.#deps.wakeups.notify(cancelTopic, claimTopic, ...runs.map(endTopic), ...runs.map(runTopic));
  }

  /**
   * Waits until the next sweep. If the rules limit the number of checkpoints, deletes old checkpoints every second meanwhile, because
   * threads in use add new ones.
   */
  async #pause(): Promise<void> {
    const { keepCheckpoints } = this.#options.rules;
    const { signal } = this.stopped;
    for (let left = pauseMs; left > 0 && !signal.aborted; left -= trimPauseMs) {
      await sleep(trimPauseMs, undefined, { signal }).catch(() => {});
      if (keepCheckpoints !== undefined && !signal.aborted) await trimOnce(this.#deps.pool, keepCheckpoints).catch(this.#report);
    }
  }

  readonly #report = (err: unknown): false => {
    this.#deps.log.warn({ err }, "sweep failed, trying again");
    return false;
  };
}

/**
 * Tells when a certain kind of sweep is due. The first sweep is due when the worker starts. Each later one is due when the interval has
 * passed since the last call of `restart`.
 */
class Clock {
  readonly #ms: number;
  #dueAt = 0;

  constructor(minutes = 0) {
    this.#ms = minutes * 60_000;
  }

  isDue(): boolean {
    return performance.now() >= this.#dueAt;
  }

  restart(): void {
    this.#dueAt = performance.now() + this.#ms;
  }
}
