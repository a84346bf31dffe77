import type { AlertCheck } from "../stats/alerts.ts";

/** The key of `configurable` under which the agents of a run find the object that counts their calls. */
export const callBoxKey = "__ensemble_calls";

/** A finished call of an agent. The orchestration patterns pass the call's entry in their ledger. */
export interface EndedCall {
  agent: string;
  outcome: "success" | "failed" | "timeout" | "skipped";
  elapsedMs: number;
  attempts: number;
  inputTokens: number;
  outputTokens: number;
  error?: string | undefined;
}

/** Counts the calls, the waits and the stalls of one attempt's agents. The worker puts this object into the run's `configurable`. */
export interface CallBox {
  /**
   * The time at which a person's answer created the run, in milliseconds since 1970. Undefined in the first attempt, because there the node
   * that gets the answer records the time itself.
   */
  readonly resumedAt: number | undefined;
  /** The calls of the attempt so far, for the metrics of a run that fails. */
  readonly calls: readonly EndedCall[];
  ended(call: EndedCall): void;
  waited(agent: string, ms: number): void;
  stalled(agent: string, state: string): void;
  concluded(run: { conflicts: number; alerts: Pick<AlertCheck, "alert" | "value" | "threshold" | "isCrossed">[] }): void;
}
