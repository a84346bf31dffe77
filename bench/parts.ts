import type { Measured } from "./measured.ts";
import { measureBefore } from "./parts/before.ts";
import { measureBig } from "./parts/big.ts";
import { measureFirstEvent } from "./parts/first-event.ts";
import { measurePatterns } from "./parts/patterns.ts";
import { measureQueue } from "./parts/queue.ts";
import { measureRuns } from "./parts/runs.ts";
import { measureScale } from "./parts/scale.ts";
import { measureSize } from "./parts/size.ts";
import { measureSoak } from "./parts/soak.ts";
import { measureThreads } from "./parts/threads.ts";
import { measureTokens } from "./parts/tokens.ts";
import type { Stage } from "./stage.ts";

export interface BenchOptions {
  /** True to take fewer samples, for a quick estimate. */
  quick: boolean;
  /** True to measure every combination, however long it takes. */
  full: boolean;
}

export type Part = (stage: Stage, options: BenchOptions) => Promise<Measured>;

/** The parts by name, in the order in which they run. */
export const parts: Record<string, Part> = {
  runs: measureRuns,
  "first-event": measureFirstEvent,
  tokens: measureTokens,
  threads: measureThreads,
  big: measureBig,
  soak: measureSoak,
  scale: measureScale,
  patterns: measurePatterns,
  size: measureSize,
  queue: measureQueue,
  before: measureBefore,
};

/** The parts that run by default. The others run by name only. */
export const usualParts = Object.keys(parts).filter((name) => !["patterns", "size", "queue", "before"].includes(name));
