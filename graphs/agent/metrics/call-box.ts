import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { LedgerEntry } from "../ledger.ts";
import type { StallState } from "./stalls.ts";

/**
 * The comparison of a measured value of a run with a threshold from the run's context. `isCrossed` tells whether the value is beyond the
 * threshold.
 */
export interface CheckedAlert {
  alert: string;
  value: number;
  threshold: number;
  isCrossed: boolean;
}

/**
 * Receives reports about the agents of a run, for the statistics of the service. The service passes this object in the run's
 * `configurable`.
 */
export interface CallBox {
  /**
   * The time, in milliseconds since 1970, at which a person's answer started this run. Set only for later attempts of the run, because the
   * first attempt reads the answer and notes the time itself.
   */
  resumedAt?: number | undefined;
  ended(call: LedgerEntry): void;
  /** Called when an agent gets resources for which it has waited `ms` milliseconds. */
  waited(agent: string, ms: number): void;
  stalled(agent: string, state: StallState): void;
  /**
   * Called when the run's own graph ends, if that graph is a pattern. Patterns in subgraphs do not call this. `conflicts` and `alerts`
   * cover the whole run.
   */
  concluded(run: { conflicts: number; alerts: CheckedAlert[] }): void;
}

/** Returns the `CallBox` that the service put into the config. Returns undefined outside the service. */
export const boxOf = (config: Pick<LangGraphRunnableConfig, "configurable"> | undefined): CallBox | undefined =>
  config?.configurable?.__ensemble_calls as CallBox | undefined;
