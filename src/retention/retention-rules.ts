import type { ThreadTtl, TtlStrategy } from "../threads/threads.ts";

/** How long data is kept. Data without a rule is kept for ever. */
export interface RetentionRules {
  /** The rule of threads without a rule of their own. */
  threadTtl?: ThreadTtl | undefined;
  /** The number of root checkpoints that a thread keeps when its run has ended. */
  keepCheckpoints?: number | undefined;
  /** The interval between sweeps of expired threads. */
  ttlSweepMinutes?: number | undefined;
  /** The interval between sweeps of expired store items. */
  storeSweepMinutes?: number | undefined;
}

interface Configured {
  threadTtlMinutes: number | undefined;
  keepCheckpoints: number | undefined;
}

interface SweepOptions {
  sweep_interval_minutes?: number | null | undefined;
}

/** The parts of langgraph.json that retention needs. */
interface ProjectOptions {
  checkpointer?: {
    ttl?: (SweepOptions & { strategy?: TtlStrategy | undefined; default_ttl?: number | null | undefined }) | null | undefined;
  };
  store?: { ttl?: SweepOptions | null | undefined };
}

/** Returns the rules. The environment overrides the project file, which alone can set the strategy for expired threads. */
export function retentionRules(
  { threadTtlMinutes, keepCheckpoints }: Configured,
  { checkpointer, store }: ProjectOptions = {},
): RetentionRules {
  const ttl = checkpointer?.ttl;
  const minutes = threadTtlMinutes ?? ttl?.default_ttl ?? undefined;
  return {
    threadTtl: minutes === undefined ? undefined : { minutes, strategy: ttl?.strategy ?? "delete" },
    keepCheckpoints,
    ttlSweepMinutes: ttl?.sweep_interval_minutes ?? undefined,
    storeSweepMinutes: store?.ttl?.sweep_interval_minutes ?? undefined,
  };
}
