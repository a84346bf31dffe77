import { measureLatency } from "./latency.ts";
import { measurePatterns } from "./patterns.ts";

export interface BenchOptions {
  /** Fewer samples, for a first look. */
  quick: boolean;
}

export interface Measured {
  title: string;
  columns: string[];
  rows: Record<string, number[]>;
}

/** What can be measured, by name. */
export const parts: Record<string, (options: BenchOptions) => Promise<Measured>> = {
  latency: measureLatency,
  patterns: measurePatterns,
};
