import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { LedgerEntry } from "../ledger.ts";
import type { StallState } from "./stalls.ts";

/** A threshold of a run's context, and the figure of the run. */
export interface CheckedAlert {
  alert: string;
  value: number;
  threshold: number;
  isCrossed: boolean;
}

/** Takes what the agents of a run do, for the statistics of the service. The service passes this object in the run's `configurable`. */
export interface CallBox {
  /**
   * When the answer of a person began this run, in milliseconds since 1970. It is set for an attempt after a crash, which does not read the
   * answer again.
   */
  resumedAt?: number | undefined;
  ended(call: LedgerEntry): void;
  /** A call of an agent got the resources for which it had to wait. */
  waited(agent: string, ms: number): void;
  stalled(agent: string, state: StallState): void;
  /** A pattern has ended. The figures are those of the whole run. */
  concluded(run: { conflicts: number; alerts: CheckedAlert[] }): void;
}

/** Returns the object of the service. Undefined outside the service. */
export const boxOf = (config: Pick<LangGraphRunnableConfig, "configurable"> | undefined): CallBox | undefined =>
  config?.configurable?.__ensemble_calls as CallBox | undefined;
