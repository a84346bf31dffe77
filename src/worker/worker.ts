import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fence } from "../db/fence.ts";
import { newId } from "../db/ids.ts";
import { type Claim, claimRuns, type HeldRun, releaseRun } from "../runs/claim.ts";
import { cancelTopic, claimTopic } from "../runs/run.ts";
import { mendBatchedStore } from "../store/batched-store.ts";
import { type AttemptControl, createControl } from "./attempt.ts";
import { runEnder } from "./ends.ts";
import { type AttemptPolicy, executeRun } from "./execute.ts";
import { startLiveness } from "./liveness.ts";
import { now } from "./liveness-news.ts";
import { mendNestedResumption } from "./nested-resumption.ts";
import { stepWriter } from "./steps.ts";
import { mendUntracedCalls } from "./untraced-calls.ts";
import type { WorkerDeps } from "./worker-deps.ts";

export interface WorkerOptions extends AttemptPolicy {
  slots: number;
  leaseSeconds: number;
  runTimeoutSeconds: number;
  drainSeconds: number;
}

export interface Worker {
  readonly workerId: string;
  /** Claims no more, lets running runs reach their next step, gives back what has not got there in time. */
  stop(): Promise<void>;
  /** Gives everything back at once. */
  abort(): void;
}

interface RunningAttempt {
  claim: Claim;
  control: AttemptControl;
  /** By the machine's monotonic clock, after the claim was committed. */
  since: number;
  done: Promise<void>;
}

const pollMs = 1_000;
/** On which this worker tells itself that it can take another run. */
const roomTopic = "room";
/** What aborted attempts get to give their runs back. */
const settleMs = 5_000;
const longestTimerMs = 2 ** 31 - 1;

/** Which attempt the current code works for. By it an error that escapes from user code is told apart from one of ours. */
export const currentAttempt = new AsyncLocalStorage<Fence & { threadId: string }>();

/** The same, as the log names it. */
export function attemptAtWork(): object | undefined {
  const attempt = currentAttempt.getStore();
  return attempt && { run_id: attempt.runId, thread_id: attempt.threadId, attempt: attempt.attempt };
}

/** Claims runs and executes them, until it is stopped. `url` is for the connection that keeps the worker alive. */
export async function startWorker(deps: WorkerDeps, url: string, options: WorkerOptions): Promise<Worker> {
  const { pool, wakeups, log, metrics, registry } = deps;
  const graphs = registry.graphIds;
  await mendNestedResumption();
  mendBatchedStore();
  mendUntracedCalls();
  const attemptDeps = { ...deps, storeStep: stepWriter(pool), endRun: runEnder(pool) };
  const workerId = newId();
  const running = new Map<string, RunningAttempt>();
  const draining = new AbortController();
  let halted = false;
  let pausedUntil = 0;
  /** When the last claim was dealt with; while one is under way, runs may be ours that are not here yet. */
  let claimedAt = Number.POSITIVE_INFINITY;

  const liveness = await startLiveness({
    url,
    workerId,
    graphs,
    leaseSeconds: options.leaseSeconds,
    log,
    onHeld: judge,
    onHalted: (isHalted) => {
      halted = isHalted;
      if (halted) drainAll();
    },
    onTookOver: (runs) => {
      metrics.tookOver(runs);
      wakeups.tell(claimTopic);
    },
    onOutOfTouch: () => stopAll({ kind: "unreachable", error: new Error("The lease could not be renewed.") }),
    onBlocked: reportBlocked,
  });
  const unlisten = wakeups.on(cancelTopic, () => liveness.hurry());

  async function claimLoop(): Promise<void> {
    while (!draining.signal.aborted) {
      const told = wakeups.next(claimTopic, pollMs, draining.signal); // armed before the claim, so that no word is missed
      claimedAt = Number.POSITIVE_INFINITY;
      const asked = freeSlots();
      const claims = await claimWhatFits(asked).catch(reportAndClaimNothing);
      for (const claim of claims) start(claim);
      claimedAt = now();
      // Where there is no room, news of runs makes none. With fewer than there was room for, no more are due: whoever holds a thread
      // meanwhile tells when it lets go.
      if (freeSlots() === 0) await wakeups.next(roomTopic, pollMs, draining.signal);
      else if (claims.length < asked) await told;
    }
  }

  /** What a graph has come to may still have to be stored: that holds no slot, unless as many wait for it as there are slots. */
  function freeSlots(): number {
    const attempts = [...running.values()];
    const executing = attempts.filter(({ control }) => !control.performed).length;
    return Math.max(0, Math.min(options.slots - executing, 2 * options.slots - attempts.length));
  }

  async function claimWhatFits(slots: number): Promise<Claim[]> {
    if (slots <= 0 || !liveness.announced || now() < pausedUntil) return [];
    const { maxCrashes } = options;
    const hasSuspect = [...running.values()].some(({ claim }) => claim.crashes > 0 && claim.crashes >= maxCrashes - 1);
    return claimRuns(pool, workerId, { graphs, slots, suspects: hasSuspect ? 0 : 1, maxCrashes });
  }

  function reportAndClaimNothing(err: unknown): Claim[] {
    log.warn({ err }, "claim failed, trying again");
    return [];
  }

  /** A thread's next run may be due; while this worker drains, that is for the others. */
  function tellOfThread(): void {
    if (draining.signal.aborted) wakeups.tellElsewhere(claimTopic);
    else wakeups.tellHere(claimTopic, roomTopic);
  }

  function start(claim: Claim): void {
    const control = createControl(() => wakeups.tellHere(roomTopic));
    const key = keyOf(claim);
    const { runTimeoutSeconds: seconds } = options;
    const leftMs = Math.max(0, (seconds - claim.ranSeconds) * 1000);
    const timer = setTimeout(() => control.stop({ kind: "timeout", seconds }), Math.min(leftMs, longestTimerMs));
    const done = currentAttempt
      .run(claim, () => executeRun(attemptDeps, claim, control, options))
      .finally(() => {
        clearTimeout(timer);
        running.delete(key);
        // Whatever the database cannot do for this run now (a full disk), it could not do a millisecond later either.
        if (control.stopped?.kind === "unreachable") pausedUntil = now() + pollMs;
        tellOfThread();
      });
    running.set(key, { claim, control, since: now(), done });
    if (draining.signal.aborted || (halted && !claim.cancel)) control.graphControl.requestDrain();
  }

  /** Compares what runs here with what the database said may run here. Runs claimed after the question are not judged by it. */
  function judge(held: HeldRun[], askedAt: number): void {
    const mayRun = new Map(held.map((run) => [keyOf(run), run]));
    for (const { claim, control, since } of running.values()) {
      const run = mayRun.get(keyOf(claim));
      if (run?.cancel) control.stop({ kind: "cancel", action: run.cancel });
      else if (!run && since < askedAt) control.stop({ kind: "lost" });
    }
    if (claimedAt < askedAt) for (const run of held) if (!running.has(keyOf(run))) void giveBack(run);
  }

  /** A run that is ours though nobody here knows of it: the answer to its claim was lost with the connection. One that has just ended is not. */
  async function giveBack(run: HeldRun): Promise<void> {
    const given = await releaseRun(pool, run).catch((err) =>
      log.warn({ err, run_id: run.runId }, "run could not be given back, trying again"),
    );
    if (!given) return;
    log.warn({ run_id: run.runId, attempt: run.attempt }, "gave back a run that was claimed without this worker hearing of it");
    wakeups.tell(claimTopic);
  }

  /** A node that blocks runs on when nothing else does, so it is among those that finish first afterwards. */
  function reportBlocked(ms: number): void {
    const since = now() - ms;
    const nodes = [...running.values()].flatMap(({ claim, control }) =>
      control.nodesSince(since).map((node) => ({ node, run_id: claim.runId, thread_id: claim.threadId })),
    );
    if (nodes.length > 0) log.warn({ blocked_ms: ms, nodes }, "the event loop stood still while these nodes were running");
    else log.debug({ blocked_ms: ms }, "the event loop stood still while no node was running");
  }

  function drainAll(): void {
    for (const { control } of running.values()) control.graphControl.requestDrain();
  }

  function stopAll(reason: Parameters<AttemptControl["stop"]>[0]): void {
    for (const { control } of running.values()) control.stop(reason);
  }

  function abort(): void {
    draining.abort();
    stopAll({ kind: "shutdown" });
  }

  async function allDone(): Promise<void> {
    while (running.size > 0) await Promise.all([...running.values()].map(({ done }) => done));
  }

  async function stop(): Promise<void> {
    draining.abort();
    drainAll();
    await claiming; // a claim that was under way is drained like the others
    await Promise.race([allDone(), sleep(options.drainSeconds * 1000, undefined, { ref: false })]);
    abort();
    await Promise.race([allDone(), sleep(settleMs, undefined, { ref: false })]);
    unlisten();
    await liveness.stop();
  }

  const claiming = claimLoop();
  return { workerId, stop, abort };
}

const keyOf = ({ runId, attempt }: Fence) => `${runId} ${attempt}`;
