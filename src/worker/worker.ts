import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fence } from "../db/fence.ts";
import { newId } from "../db/ids.ts";
import { type Claim, claimRuns, listHeldRuns } from "../runs/claim.ts";
import { cancelTopic, claimTopic } from "../runs/run.ts";
import { announceWorker, renewWorker, retireWorker, takeOverSilentWorkers } from "../runs/workers.ts";
import { type AttemptControl, createControl } from "./attempt.ts";
import { executeRun } from "./execute.ts";
import type { WorkerRooms } from "./rooms.ts";

export interface WorkerOptions {
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
  done: Promise<void>;
}

const pollMs = 1_000;
const heartbeatMs = 1_000;

/** Which attempt the current code works for. By it an error that escapes from user code is told apart from one of ours. */
export const currentAttempt = new AsyncLocalStorage<Fence & { threadId: string }>();

/** Claims runs and executes them, until it is stopped. */
export async function startWorker(rooms: WorkerRooms, options: WorkerOptions): Promise<Worker> {
  const { pool, wakeups, log } = rooms;
  const workerId = newId();
  const running = new Map<string, RunningAttempt>();
  const draining = new AbortController();
  const stopped = new AbortController();
  await announceWorker(pool, workerId);

  async function claimLoop(): Promise<void> {
    while (!draining.signal.aborted) {
      const woken = wakeups.next(claimTopic, pollMs, draining.signal); // armed before the claim, so that no word is missed
      const free = options.slots - running.size;
      const claims = free > 0 ? await claimRuns(pool, workerId, free).catch(reportAndClaimNothing) : [];
      for (const claim of claims) start(claim);
      if (claims.length === 0 || running.size >= options.slots) await woken;
    }
  }

  function reportAndClaimNothing(err: unknown): Claim[] {
    log.warn({ err }, "claim failed, trying again");
    return [];
  }

  function start(claim: Claim): void {
    const control = createControl();
    const key = `${claim.runId} ${claim.attempt}`;
    const { runTimeoutSeconds: seconds } = options;
    const timer = setTimeout(() => control.stop({ kind: "timeout", seconds }), Math.min(seconds * 1000, 2 ** 31 - 1));
    const done = currentAttempt
      .run(claim, () => executeRun(rooms, claim, control))
      .finally(() => {
        clearTimeout(timer);
        running.delete(key);
        wakeups.tell(claimTopic); // a slot is free, and the thread's next run may be due
      });
    running.set(key, { claim, control, done });
    if (draining.signal.aborted) control.graphControl.requestDrain();
  }

  /** Compares what runs here with what the database says may run here. */
  async function checkHeldRuns(): Promise<void> {
    const mine = [...running.values()]; // those claimed before the question is asked; newer ones are not judged by this answer
    if (mine.length === 0) return;
    const held = new Map((await listHeldRuns(pool, workerId)).map((run) => [`${run.runId} ${run.attempt}`, run]));
    for (const { claim, control } of mine) {
      const run = held.get(`${claim.runId} ${claim.attempt}`);
      if (!run) control.stop({ kind: "lost" });
      else if (run.cancel) control.stop({ kind: "cancel", action: run.cancel });
    }
  }

  async function heartbeat(): Promise<void> {
    while (!stopped.signal.aborted) {
      await beat().catch((err) => log.warn({ err }, "heartbeat failed, trying again"));
      await wakeups.next(cancelTopic, heartbeatMs, stopped.signal);
      await checkHeldRuns().catch((err) => log.warn({ err }, "held runs could not be checked, trying again"));
    }
  }

  async function beat(): Promise<void> {
    if (!(await renewWorker(pool, workerId))) await announceWorker(pool, workerId);
    const taken = await takeOverSilentWorkers(pool, options.leaseSeconds);
    if (taken.length > 0) {
      log.warn({ runs: taken }, "took over the runs of workers that were silent for too long");
      wakeups.tell(claimTopic);
    }
  }

  async function stop(): Promise<void> {
    draining.abort();
    for (const { control } of running.values()) control.graphControl.requestDrain();
    await Promise.race([allDone(), sleep(options.drainSeconds * 1000, undefined, { ref: false })]);
    abort();
    await Promise.race([allDone(), sleep(settleMs, undefined, { ref: false })]);
    stopped.abort();
    await Promise.all([claiming, beating]);
    await retireWorker(pool, workerId).catch((err) => log.warn({ err }, "the worker could not take itself off the list"));
  }

  async function allDone(): Promise<void> {
    while (running.size > 0) await Promise.all([...running.values()].map(({ done }) => done));
  }

  function abort(): void {
    draining.abort();
    for (const { control } of running.values()) control.stop({ kind: "shutdown" });
  }

  const claiming = claimLoop();
  const beating = heartbeat();
  return { workerId, stop, abort };
}

/** What aborted attempts get to give their runs back. */
const settleMs = 5_000;
