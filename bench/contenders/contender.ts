import type { Load, LoadResult } from "../load/load.ts";

/** One that takes part in a comparison: it runs graphs, somehow, in processes that can be looked at. */
export interface Contender {
  name: string;
  /** The processes that do its work, without those of its clients and of Postgres. */
  pids: number[];
  run(load: Load): Promise<LoadResult>;
  stop(): Promise<void>;
}
