import type { Load, LoadResult } from "../load/load.ts";

/** One that takes part in a comparison: it runs graphs, somehow, in processes that can be looked at. */
export interface Contender {
  name: string;
  /** The processes that do its work, without those of its clients and of Postgres. */
  pids: number[];
  run(load: Load): Promise<LoadResult>;
  stop(): Promise<void>;
}

/** Those that can take part. When one cannot be started, the others are stopped again: they would disturb what is measured next. */
export async function startTogether<Some extends { stop(): Promise<void> }>(starting: Promise<Some | undefined>[]): Promise<Some[]> {
  const settled = await Promise.allSettled(starting);
  const started = settled.flatMap((one) => (one.status === "fulfilled" && one.value ? [one.value] : []));
  const failed = settled.find((one) => one.status === "rejected");
  if (!failed) return started;
  await Promise.all(started.map((one) => one.stop()));
  throw failed.reason;
}
