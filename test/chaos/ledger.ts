/** The facts that one client saw about one run. */
export interface Sight {
  runId: string;
  eventIds: number[];
  /** How often it reconnected by itself, after the SDK's own attempts. */
  returns: number;
}

/** A run that the service has acknowledged, with its expected result. */
export interface AcknowledgedRun {
  runId: string;
  threadId: string;
  kind: string;
  /** The work that its nodes must have recorded, each at least once, and nothing else. */
  work: string[];
  /** The status that a client read when its stream had ended. */
  statusSeen?: string;
}

export interface Breach {
  rule: string;
  detail: string;
}

/** The record of all clients: their runs, what they saw of each, and the breaches that they found. */
export interface Ledger {
  runs: AcknowledgedRun[];
  sights: Sight[];
  breaches: Breach[];
  /** How often a create was retried with its key, because it had no answer. */
  retriedCreates: number;
}

export const emptyLedger = (): Ledger => ({ runs: [], sights: [], breaches: [], retriedCreates: 0 });
