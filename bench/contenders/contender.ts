import type { Load, LoadResult } from "../load/load.ts";

/** A system that the benchmark compares with others. It runs graphs in processes whose resource usage can be measured. */
export interface Contender {
  name: string;
  /** The processes of the contender itself, without its clients and without Postgres. */
  pids: number[];
  run(load: Load): Promise<LoadResult>;
  stop(): Promise<void>;
}

/**
 * Starts the contenders that are available. If one of them cannot start, stops the others, because they would disturb later measurements.
 */
export async function startTogether<Some extends { stop(): Promise<void> }>(starting: Promise<Some | undefined>[]): Promise<Some[]> {
  const settled = await Promise.allSettled(starting);
  const started = settled.flatMap((one) => (one.status === "fulfilled" && one.value ? [one.value] : []));
  const failed = settled.find((one) => one.status === "rejected");
  if (!failed) return started;
  await Promise.all(started.map((one) => one.stop()));
  throw failed.reason;
}
