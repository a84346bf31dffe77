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
   * When the attempt began, which was after its claim was committed. The time is in milliseconds of the machine's monotonic clock, like the
   * parameter `askedAt` of `compare`.
   */
  since: number;
  done: Promise<void>;
}

const longestTimerMs = 2 ** 31 - 1;

/**
 * The attempt that has called the current code, directly or indirectly. If an error is not caught, this tells whether it comes from a run's
 * graph or from the service itself.
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
   * Returns how many further runs this worker may claim. A run whose graph has finished occupies no slot while its result is stored. If the
   * database is slow, such runs could accumulate. The worker therefore has at most twice as many attempts as slots.
   */
  freeSlots(): number {
    const { slots } = this.#options;
    const attempts = [...this.#running.values()];
    const executing = attempts.filter(({ control }) => !control.performed).length;
    return Math.max(0, Math.min(slots - executing, 2 * slots - attempts.length));
  }

  /**
   * Tells whether this worker executes a suspect run, which would end with an error after one more crash of its worker. The worker must not
   * claim a second suspect run meanwhile.
   */
  hasSuspect(): boolean {
    const { maxCrashes } = this.#options;
    return [...this.#running.values()].some(({ claim }) => claim.crashes > 0 && claim.crashes >= maxCrashes - 1);
  }

  has(run: Fence): boolean {
    return this.#running.has(keyOf(run));
  }

  /**
   * Stops the attempts whose runs are cancelled, and those that have lost the right to write. `held` are the runs that this worker held
   * according to the database, at the time `askedAt`. If an attempt's run is not among them, the attempt has lost the right to write. The
   * exception is an attempt that began only after `askedAt`.
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
