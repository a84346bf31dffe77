import type { Logger } from "pino";
import type { Claim } from "../runs/claim.ts";
import type { CallBox } from "./call-box.ts";
import type { AttemptControl } from "./control.ts";
import type { Journal } from "./journal.ts";
import type { LetterBuffer } from "./letter-buffer.ts";
import type { SpanRecorder } from "./spans.ts";
import type { StreamTranslator } from "./translator.ts";
import type { MeteredCalls } from "./usage-meter.ts";
import type { AttemptDeps } from "./worker-deps.ts";

/** The operator's settings for attempts. */
export interface AttemptPolicy {
  /** The number of consecutive crashes without progress after which a run is not tried again. */
  maxCrashes: number;
  /** The treatment of a run that began with another version of its graph: the run continues, or it ends with an error. */
  onGraphChange: "continue" | "refuse";
}

/**
 * One attempt of a run. `prepare` creates it. The steps `open`, `stream`, `conclude` and `settle` take it as their argument, in this order.
 */
export interface Attempt {
  readonly deps: AttemptDeps;
  readonly policy: AttemptPolicy;
  readonly claim: Claim;
  readonly control: AttemptControl;
  readonly log: Logger;
  readonly journal: Journal;
  readonly translator: StreamTranslator;
  /** Holds the failed items that nodes have reported, until these items are stored. */
  readonly letters: LetterBuffer;
  /** Records the spans of the attempt for the run's timeline. */
  readonly spans: SpanRecorder;
  /** Meters the tokens and the cost of the attempt's model calls. */
  readonly calls: MeteredCalls;
  /** Counts the calls, the waits and the stalls of the attempt's agents. */
  readonly box: CallBox;
  /** The version of the graph that the attempt executes. Null until `open` has opened the graph. */
  graphVersion: string | null;
}

export function graphIdOf({ kwargs }: Claim): string {
  return String(kwargs.config.configurable?.graph_id);
}
