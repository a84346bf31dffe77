import type { HeldRun } from "../runs/claim.ts";

/** The data that the liveness thread starts with. */
export interface LivenessData {
  url: string;
  workerId: string;
  /** The graphs that the worker has. */
  graphs: string[];
  leaseSeconds: number;
  /** Shared memory: the main thread knows the last renewal before it has read the messages. */
  clock: SharedArrayBuffer;
}

/** A request of the main thread. */
export type LivenessOrder = "renew" | "stop";

/** A message to the main thread. */
export type LivenessNews =
  | { kind: "connected" }
  | { kind: "disconnected"; message: string }
  | { kind: "renewed"; askedAt: number; halted: boolean; held: HeldRun[] }
  | { kind: "took over"; runs: string[]; workers: string[] };

/** Milliseconds of the machine's monotonic clock, which all threads of a process share. */
export const now = (): number => Number(process.hrtime.bigint() / 1_000_000n);

/** A moment that both threads can read and write. */
export function clockOf(buffer: SharedArrayBuffer): { get(): number; set(moment: number): void } {
  const cell = new BigInt64Array(buffer);
  return {
    get: () => Number(Atomics.load(cell, 0)),
    set: (moment) => void Atomics.store(cell, 0, BigInt(moment)),
  };
}
