import type { ThreadTtl, TtlStrategy } from "../threads/threads.ts";

/** The rules for how long data is kept. If the rule for a kind of data is undefined, this data is kept forever. */
export interface RetentionRules {
  /** The time to live of threads that have no time to live of their own. */
  threadTtl?: ThreadTtl | undefined;
  /** The number of newest root checkpoints that a thread keeps. Older checkpoints are deleted while the thread has no open run. */
  keepCheckpoints?: number | undefined;
  /** The number of days that a dead letter is kept after its last change. */
  deadLetterDays?: number | undefined;
  /** The number of days that a plan is kept after its last change. */
  planDays?: number | undefined;
  /** The number of days that feedback about a deleted stateless run is kept after its last change. */
  feedbackDays?: number | undefined;
  /** The number of days that a row of daily model usage is kept. */
  usageDays?: number | undefined;
  /** The number of minutes between two sweeps of expired threads. */
  ttlSweepMinutes?: number | undefined;
  /** The number of minutes between two sweeps of expired store items. */
  storeSweepMinutes?: number | undefined;
}

interface Configured {
  threadTtlMinutes: number | undefined;
  keepCheckpoints: number | undefined;
  deadLetterDays?: number | undefined;
  planDays?: number | undefined;
  feedbackDays?: number | undefined;
  usageDays?: number | undefined;
}

interface SweepOptions {
  sweep_interval_minutes?: number | null | undefined;
}

/** The options of langgraph.json that set retention rules. */
interface ProjectOptions {
  checkpointer?: {
    ttl?: (SweepOptions & { strategy?: TtlStrategy | undefined; default_ttl?: number | null | undefined }) | null | undefined;
  };
  store?: { ttl?: SweepOptions | null | undefined };
}

/**
 * Returns the rules for how long data is kept. A value from the environment takes precedence over one from the project file. The strategy
 * for expired threads can be set only in the project file.
 */
export function retentionRules(
  { threadTtlMinutes, keepCheckpoints, deadLetterDays, planDays, feedbackDays, usageDays }: Configured,
  { checkpointer, store }: ProjectOptions = {},
): RetentionRules {
  const ttl = checkpointer?.ttl;
  const minutes = threadTtlMinutes ?? ttl?.default_ttl ?? undefined;
  return {
    threadTtl: minutes === undefined ? undefined : { minutes, strategy: ttl?.strategy ?? "delete" },
    keepCheckpoints,
    deadLetterDays,
    planDays,
    feedbackDays,
    usageDays,
    ttlSweepMinutes: ttl?.sweep_interval_minutes ?? undefined,
    storeSweepMinutes: store?.ttl?.sweep_interval_minutes ?? undefined,
  };
}
