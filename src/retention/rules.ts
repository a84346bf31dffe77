import type { ThreadTtl, TtlStrategy } from "../threads/threads.ts";

/** What is kept, and for how long. What is not set is kept for ever. */
export interface RetentionRules {
  /** For threads without a rule of their own. */
  threadTtl?: ThreadTtl | undefined;
  /** Root checkpoints that a thread keeps when its run has ended. */
  keepCheckpoints?: number | undefined;
  /** How often threads are looked at. */
  ttlSweepMinutes?: number | undefined;
}

interface Configured {
  threadTtlMinutes: number | undefined;
  keepCheckpoints: number | undefined;
}

/** `checkpointer` in langgraph.json. */
interface CheckpointerOptions {
  ttl?: {
    strategy?: TtlStrategy | undefined;
    default_ttl?: number | null | undefined;
    sweep_interval_minutes?: number | null | undefined;
  } | null;
}

/** The environment decides over the project file, which alone can say what happens when the time is over. */
export function retentionRules({ threadTtlMinutes, keepCheckpoints }: Configured, { ttl }: CheckpointerOptions = {}): RetentionRules {
  const minutes = threadTtlMinutes ?? ttl?.default_ttl ?? undefined;
  return {
    threadTtl: minutes === undefined ? undefined : { minutes, strategy: ttl?.strategy ?? "delete" },
    keepCheckpoints,
    ttlSweepMinutes: ttl?.sweep_interval_minutes ?? undefined,
  };
}
