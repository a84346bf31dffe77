import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { newId } from "../db/ids.ts";
import { sealingUser } from "../db/sealable.ts";
import { patchBatchedStore } from "../patches/batched-store.ts";
import { patchNestedResumption } from "../patches/nested-resumption.ts";
import { patchTimedCalls } from "../patches/timed-calls.ts";
import { patchUntracedCalls } from "../patches/untraced-calls.ts";
import { type ResourceBroker, startBroker } from "../resources/broker.ts";
import { type Claim, type HeldRun, releaseRun } from "../runs/claim.ts";
import { cancelTopic, claimTopic } from "../runs/run.ts";
import type { AlertReceiver } from "../stats/alerts.ts";
import type { AttemptPolicy } from "./attempt.ts";
import { Attempts } from "./attempts.ts";
import { roomTopic, startClaimer } from "./claimer.ts";
import type { AttemptControl } from "./control.ts";
import { runEnder } from "./ends.ts";
import { executeRun } from "./execute.ts";
import { startLiveness } from "./liveness.ts";
import { now } from "./liveness-news.ts";
import { type Statistics, startStatistics } from "./statistics.ts";
import { stepWriter } from "./steps.ts";
import { usageMeter } from "./usage-meter.ts";
import type { WorkerDeps } from "./worker-deps.ts";

export interface WorkerOptions extends AttemptPolicy {
  slots: number;
  /** The release of Ensemble that the worker runs, for the list of workers. */
  version: string;
  leaseSeconds: number;
  runTimeoutSeconds: number;
  drainSeconds: number;
  /** The receiver of the webhooks that report alerts. Undefined if the project names none. */
  alertReceiver?: AlertReceiver | undefined;
}

export interface Worker {
  readonly workerId: string;
  /** Stops claiming, and lets each running run finish its current step. Runs whose step takes too long are returned to the queue. */
  stop(): Promise<void>;
  /** Returns all running runs to the queue immediately. */
  abort(): void;
}

/** The time that aborted attempts may take to return their runs to the queue, in milliseconds. */
const settleMs = 5_000;

/**
 * Starts a worker, which claims and executes runs until it is stopped. `url` is the address for the separate connection that renews the
 * worker's lease.
 */
export async function startWorker(deps: WorkerDeps, url: string, options: WorkerOptions): Promise<Worker> {
  await applyPatches();
  const worker = new RunningWorker(deps, options);
  await worker.start(url);
  return { workerId: worker.workerId, stop: () => worker.stop(), abort: () => worker.abort() };
}

async function applyPatches(): Promise<void> {
  await patchNestedResumption();
  patchBatchedStore();
  patchUntracedCalls();
  patchTimedCalls();
}

/** Calls `work` with the run's user, if the encryption of its values depends on the user. */
const forUser = <T>({ cipher }: WorkerDeps, { user }: Claim, work: () => T): T =>
  cipher?.needsUser ? sealingUser.run(user, work) : work();

class RunningWorker {
  readonly workerId = newId();
  readonly #deps: WorkerDeps;
  readonly #options: WorkerOptions;
  readonly #attempts: Attempts;
  readonly #broker: ResourceBroker;
  readonly #statistics: Statistics;
  #claimer: ReturnType<typeof startClaimer> | undefined;
  #liveness: Awaited<ReturnType<typeof startLiveness>> | undefined;
  #unlisten = () => {};
  #isDraining = false;
  /** The time of the last renewal of the lease, in milliseconds, if the service was halted at that time. Otherwise undefined. */
  #haltedAt: number | undefined;

  constructor(deps: WorkerDeps, options: WorkerOptions) {
    this.#deps = deps;
    this.#options = options;
    const identity = { worker: this.workerId, host: hostname(), pid: process.pid, version: options.version };
    const { pool: db, wakeups, log, metrics } = deps;
    const onError = (err: Error) => log.warn({ err }, "requests for resources could not be checked, trying again");
    this.#broker = startBroker({ db, wakeups, onServed: metrics.servedResource, onError });
    this.#statistics = startStatistics({ db, metrics: metrics.agents, log, alertReceiver: options.alertReceiver });
    const writers = { storeStep: stepWriter(db), endRun: runEnder(db), statistics: this.#statistics };
    const attemptDeps = { ...deps, broker: this.#broker, meter: usageMeter(db, log), identity, ...writers };
    this.#attempts = new Attempts({
      ...options,
      execute: (claim, control) => forUser(deps, claim, () => executeRun(attemptDeps, claim, control, options)),
      onPerformed: () => deps.wakeups.notifyHere(roomTopic),
      onDone: (control) => this.#onDone(control),
    });
  }

  async start(url: string): Promise<void> {
    const { pool, wakeups, log, registry, cipher } = this.#deps;
    const graphs = registry.graphIds;
    const liveness = await this.#startLiveness(url, graphs);
    this.#liveness = liveness;
    this.#unlisten = wakeups.on(cancelTopic, () => liveness.hurry());
    this.#claimer = startClaimer({
      pool,
      wakeups,
      log,
      graphs,
      workerId: this.workerId,
      maxCrashes: this.#options.maxCrashes,
      isKeyless: cipher === undefined,
      attempts: this.#attempts,
      isAnnounced: () => liveness.announced,
      // No run is claimed during a halt. If a run was claimed after the last renewal of the lease, the halt that this renewal reported is
      // therefore over. In that case, the run is not stopped.
      start: (claim, askedAt) =>
        this.#attempts.start(claim, { drain: this.#isDraining || ((this.#haltedAt ?? 0) >= askedAt && !claim.cancel) }),
    });
  }

  #startLiveness(url: string, graphs: string[]) {
    const { log, metrics, wakeups } = this.#deps;
    return startLiveness({
      url,
      worker: { workerId: this.workerId, graphs, slots: this.#options.slots, version: this.#options.version },
      leaseSeconds: this.#options.leaseSeconds,
      log,
      onHeld: (held, askedAt) => this.#compare(held, askedAt),
      onHalted: (isHalted, askedAt) => {
        this.#haltedAt = isHalted ? askedAt : undefined;
        if (isHalted) this.#attempts.drain();
      },
      onTookOver: (runs) => {
        metrics.tookOver(runs);
        wakeups.notify(claimTopic);
      },
      onOutOfTouch: () => this.#attempts.stop({ kind: "unreachable", error: new Error("The lease could not be renewed.") }),
      onBlocked: (ms) => this.#reportBlocked(ms),
    });
  }

  /**
   * Notifies a claimer that the thread's next run can now be claimed. This is normally the worker's own claimer. If this worker is
   * stopping, the other workers are notified.
   */
  #onDone({ stopped }: AttemptControl): void {
    const { wakeups } = this.#deps;
    if (stopped?.kind === "unreachable") this.#claimer?.pause();
    if (this.#isDraining) wakeups.notifyElsewhere(claimTopic);
    else wakeups.notifyHere(claimTopic, roomTopic);
  }

  /**
   * Compares the attempts in this process with the runs that this worker holds according to the database. Stops the attempts of runs that
   * are cancelled or that this worker no longer holds. Releases the runs that have no attempt here.
   */
  #compare(held: HeldRun[], askedAt: number): void {
    this.#attempts.compare(held, askedAt);
    if (!this.#claimer || this.#claimer.claimedAt >= askedAt) return;
    for (const run of held) if (!this.#attempts.has(run)) void this.#giveBack(run);
  }

  /**
   * Returns a run to the queue that belongs to this worker in the database, although the worker does not execute it. This happens if the
   * connection breaks before the worker receives the result of its claim.
   */
  async #giveBack(run: HeldRun): Promise<void> {
    const { pool, log, wakeups } = this.#deps;
    const given = await releaseRun(pool, run).catch((err) =>
      log.warn({ err, run_id: run.runId }, "run could not be given back, trying again"),
    );
    if (!given) return; // the run has ended meanwhile
    log.warn({ run_id: run.runId, attempt: run.attempt }, "gave back a run that was claimed without this worker hearing of it");
    wakeups.notify(claimTopic);
  }

  /**
   * Logs the nodes that may have blocked the event loop. While it was blocked, no node could finish, so the blocking node is among the
   * first that finish afterwards. The log therefore lists the nodes in the order in which they finished.
   */
  #reportBlocked(ms: number): void {
    const { log } = this.#deps;
    const nodes = this.#attempts.nodesSince(now() - ms);
    if (nodes.length > 0) log.warn({ blocked_ms: ms, nodes }, "the event loop stood still while these nodes were running");
    else log.debug({ blocked_ms: ms }, "the event loop stood still while no node was running");
  }

  abort(): void {
    this.#isDraining = true;
    void this.#claimer?.stop();
    this.#attempts.stop({ kind: "shutdown" });
  }

  async stop(): Promise<void> {
    this.#isDraining = true;
    this.#attempts.drain();
    await this.#claimer?.stop(); // waits for the claim in progress, so that its runs are stopped as well
    await Promise.race([this.#attempts.allDone(), sleep(this.#options.drainSeconds * 1000, undefined, { ref: false })]);
    this.abort();
    await Promise.race([this.#attempts.allDone(), sleep(settleMs, undefined, { ref: false })]);
    this.#unlisten();
    await this.#statistics.stop();
    await this.#broker.stop();
    await this.#liveness?.stop();
  }
}
