import type { Load, LoadResult } from "../load/load.ts";

/** A participant of a comparison. It runs graphs in processes that can be measured. */
export interface Contender {
  name: string;
  /** The processes that do its work, without those of its clients and of Postgres. */
  pids: number[];
  run(load: Load): Promise<LoadResult>;
  stop(): Promise<void>;
}

/** Starts the available contenders. When one cannot start, the others are stopped again, because they would disturb later measurements. */
export async function startTogether<Some extends { stop(): Promise<void> }>(starting: Promise<Some | undefined>[]): Promise<Some[]> {
  const settled = await Promise.allSettled(starting);
  const started = settled.flatMap((one) => (one.status === "fulfilled" && one.value ? [one.value] : []));
  const failed = settled.find((one) => one.status === "rejected");
  if (!failed) return started;
  await Promise.all(started.map((one) => one.stop()));
  throw failed.reason;
}
