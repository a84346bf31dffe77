import type { HeldRun } from "../runs/claim.ts";

/** What the liveness thread is started with. */
export interface LivenessData {
  url: string;
  workerId: string;
  /** The graphs that the worker has. */
  graphs: string[];
  leaseSeconds: number;
  /** Shared, so that the main thread knows the last renewal even when it has not read its messages yet. */
  clock: SharedArrayBuffer;
}

/** What the main thread asks for. */
export type LivenessOrder = "renew" | "stop";

/** What the thread tells the main one. */
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
