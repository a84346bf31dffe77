/** What one client saw of one run. */
export interface Sight {
  runId: string;
  eventIds: number[];
  /** How often it came back by itself, after the SDK's own attempts. */
  returns: number;
}

/** A run that the service has answered for, and what it has to come to. */
export interface AcknowledgedRun {
  runId: string;
  threadId: string;
  kind: string;
  /** What its nodes must have written down, each at least once, and nothing besides. */
  work: string[];
  /** The status that a client read when its stream had ended. */
  statusSeen?: string;
}

export interface Breach {
  rule: string;
  detail: string;
}

/** What the clients know. */
export interface Ledger {
  runs: AcknowledgedRun[];
  sights: Sight[];
  breaches: Breach[];
  /** How often a create was sent again, with its key, because it had got no answer. */
  askedAgain: number;
}

export const emptyLedger = (): Ledger => ({ runs: [], sights: [], breaches: [], askedAgain: 0 });
