import type { ThreadTtl, TtlStrategy } from "../threads/threads.ts";

/** What is kept, and for how long. What is not set is kept for ever. */
export interface RetentionRules {
  /** For threads without a rule of their own. */
  threadTtl?: ThreadTtl | undefined;
  /** Root checkpoints that a thread keeps when its run has ended. */
  keepCheckpoints?: number | undefined;
  /** How often threads are looked at. */
  ttlSweepMinutes?: number | undefined;
  /** The same for items of the store. */
  storeSweepMinutes?: number | undefined;
}

interface Configured {
  threadTtlMinutes: number | undefined;
  keepCheckpoints: number | undefined;
}

interface SweepOptions {
  sweep_interval_minutes?: number | null | undefined;
}

/** What of langgraph.json counts here. */
interface ProjectOptions {
  checkpointer?: {
    ttl?: (SweepOptions & { strategy?: TtlStrategy | undefined; default_ttl?: number | null | undefined }) | null | undefined;
  };
  store?: { ttl?: SweepOptions | null | undefined };
}

/** The environment decides over the project file, which alone can say what happens when the time is over. */
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
