import type { z } from "zod";
import { type Aggregation, gapsOf } from "./aggregation.ts";
import { agreementOf, joinAgreements } from "./agreement.ts";
import type { LabelledResult } from "./labelled-result.ts";
import { readSynthesis, type SynthesisAnswer } from "./synthesis.ts";

/**
 * The values of the state from which the report is made. The part of a strategy that this run did not request may come from an earlier run
 * on the thread.
 */
interface Parts extends Pick<Aggregation, "comparison" | "patterns" | "recommendation"> {
  results: LabelledResult[];
  strategies: ("compare" | "patterns" | "recommend" | "synthesize")[];
  expected: string[];
  answer: z.infer<typeof SynthesisAnswer> | null;
  written: string | null;
}

/** Returns the report of the requested strategies. A part that was not requested is null. */
export function reportOf({ results, strategies, expected, answer, written, ...parts }: Parts): Aggregation {
  const only = <Part>(strategy: Parts["strategies"][number], part: Part) => (strategies.includes(strategy) ? part : null);
  const read = answer && readSynthesis(answer);
  const untold = strategies.includes("synthesize") && !read ? ["synthesis: no result has a text"] : [];
  const computed = agreementOf(results);
  return {
    comparison: only("compare", parts.comparison),
    patterns: only("patterns", parts.patterns),
    recommendation: only("recommend", parts.recommendation),
    synthesis: read && { ...read.synthesis, deliverable: written },
    ...(read ? joinAgreements(computed, read.agreement, results) : computed),
    gaps: [...new Set([...gapsOf(results, expected), ...untold, ...(read?.synthesis.gaps ?? [])])],
  };
}
