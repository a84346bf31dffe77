import { AsyncLocalStorage } from "node:async_hooks";
import type { Fence } from "../db/fence.ts";
import type { Claim, HeldRun } from "../runs/claim.ts";
import { type AttemptControl, createControl, type StopReason } from "./control.ts";
import { now } from "./liveness-news.ts";

export interface AttemptsOptions {
  slots: number;
  maxCrashes: number;
  runTimeoutSeconds: number;
  /** Executes an attempt from start to end. The promise never rejects. */
  execute(claim: Claim, control: AttemptControl): Promise<void>;
  /** Called when the attempt's graph has finished. Another run may then be claimed while the result of this attempt is stored. */
  onPerformed(): void;
  /** Called when the attempt has ended completely. */
  onDone(control: AttemptControl): void;
}

interface RunningAttempt {
  claim: Claim;
  control: AttemptControl;
  /**
   * The time at which the attempt began, after its claim was committed, in milliseconds of the machine's monotonic clock. The parameter
   * `askedAt` of `compare` is a time of the same clock.
   */
  since: number;
  done: Promise<void>;
}

const longestTimerMs = 2 ** 31 - 1;

/**
 * The attempt to which the current code belongs. After an uncaught error, it shows whether the error comes from a run's graph or from the
 * service itself.
 */
const currentAttempt = new AsyncLocalStorage<Fence & { threadId: string }>();

/** Returns the log fields of the attempt to which the current code belongs. Returns undefined if the code belongs to no attempt. */
export function attemptAtWork(): object | undefined {
  const attempt = currentAttempt.getStore();
  return attempt && { run_id: attempt.runId, thread_id: attempt.threadId, attempt: attempt.attempt };
}

const keyOf = ({ runId, attempt }: Fence) => `${runId} ${attempt}`;

/** The attempts that this worker executes now. */
export class Attempts {
  readonly #running = new Map<string, RunningAttempt>();
  readonly #options: AttemptsOptions;

  constructor(options: AttemptsOptions) {
    this.#options = options;
  }

  /** Starts an attempt. With `drain`, the attempt's graph stops before its next super-step. */
  start(claim: Claim, { drain }: { drain: boolean }): void {
    const { execute, onPerformed, onDone, runTimeoutSeconds: seconds } = this.#options;
    const control = createControl(onPerformed);
    const leftMs = Math.max(0, (seconds - claim.ranSeconds) * 1000);
    const timer = setTimeout(() => control.stop({ kind: "timeout", seconds }), Math.min(leftMs, longestTimerMs));
    const key = keyOf(claim);
    const done = currentAttempt
      .run(claim, () => execute(claim, control))
      .finally(() => {
        clearTimeout(timer);
        this.#running.delete(key);
        onDone(control);
      });
    this.#running.set(key, { claim, control, since: now(), done });
    if (drain) control.graphControl.requestDrain();
  }

  /**
   * Returns the number of further runs that may be claimed. A run whose graph has finished needs no slot while its result is stored. Such
   * runs have a limit of their own, so that they do not accumulate when the database is slow.
   */
  freeSlots(): number {
    const { slots } = this.#options;
    const attempts = [...this.#running.values()];
    const executing = attempts.filter(({ control }) => !control.performed).length;
    return Math.max(0, Math.min(slots - executing, 2 * slots - attempts.length));
  }

  /**
   * Tells whether this worker executes a suspect run, which is a run that one more crash would end. The worker then claims no second
   * suspect run.
   */
  hasSuspect(): boolean {
    const { maxCrashes } = this.#options;
    return [...this.#running.values()].some(({ claim }) => claim.crashes > 0 && claim.crashes >= maxCrashes - 1);
  }

  has(run: Fence): boolean {
    return this.#running.has(keyOf(run));
  }

  /**
   * Stops the attempts that are cancelled or have lost the right to write. `held` are the runs that this worker held at `askedAt` according
   * to the database. An attempt whose run is not in `held` has lost the right to write, unless the attempt began after `askedAt`.
   */
  compare(held: HeldRun[], askedAt: number): void {
    const mayRun = new Map(held.map((run) => [keyOf(run), run]));
    for (const { claim, control, since } of this.#running.values()) {
      const run = mayRun.get(keyOf(claim));
      if (run?.cancel) control.stop({ kind: "cancel", action: run.cancel });
      else if (!run && since < askedAt) control.stop({ kind: "lost" });
    }
  }

  /** Returns the nodes, in all attempts, that ran at any time since `moment`. */
  nodesSince(moment: number): { node: string; run_id: string; thread_id: string }[] {
    return [...this.#running.values()].flatMap(({ claim, control }) =>
      control.nodesSince(moment).map((node) => ({ node, run_id: claim.runId, thread_id: claim.threadId })),
    );
  }

  /** Makes the graph of each attempt stop before its next super-step. */
  drain(): void {
    for (const { control } of this.#running.values()) control.graphControl.requestDrain();
  }

  /** Aborts all attempts immediately. */
  stop(reason: StopReason): void {
    for (const { control } of this.#running.values()) control.stop(reason);
  }

  async allDone(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map(({ done }) => done));
  }
}
