import type { HeldRun } from "../runs/claim.ts";
import type { WorkerFacts } from "../runs/workers.ts";

/** The initial data of the thread that renews the worker's lease. */
export interface LivenessData {
  url: string;
  worker: WorkerFacts;
  leaseSeconds: number;
  /**
   * Memory that the main thread and the liveness thread share. It holds the time of the last renewal of the lease. The main thread can thus
   * read this time even before it handles the message about the renewal.
   */
  clock: SharedArrayBuffer;
}

/** A request from the main thread to the liveness thread. */
export type LivenessOrder = "renew" | "stop";

/** A message from the liveness thread to the main thread. */
export type LivenessNews =
  | { kind: "connected" }
  | { kind: "disconnected"; message: string }
  | { kind: "renewed"; askedAt: number; halted: boolean; held: HeldRun[] }
  | { kind: "took over"; runs: string[]; workers: string[] };

/** Returns the time of the machine's monotonic clock in milliseconds. All threads of a process see the same clock. */
export const now = (): number => Number(process.hrtime.bigint() / 1_000_000n);

/** Returns functions that read and write a time in memory that two threads share. */
export function clockOf(buffer: SharedArrayBuffer): { get(): number; set(moment: number): void } {
  const cell = new BigInt64Array(buffer);
  return {
    get: () => Number(Atomics.load(cell, 0)),
    set: (moment) => void Atomics.store(cell, 0, BigInt(moment)),
  };
}
