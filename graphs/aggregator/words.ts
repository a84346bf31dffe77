import type { Aggregation } from "./aggregation.ts";

/** Returns the report as a text, for people who read the conversation and not the structured report. */
export function wordsOf({ comparison, recommendation, synthesis, gaps }: Aggregation): string {
  const advice = recommendation && [recommendation.label ? `Recommended: ${recommendation.label}.` : "None is recommended."];
  const lines = [
    synthesis?.deliverable ?? synthesis?.executiveSummary,
    ...(synthesis ? [] : [comparison?.note, ...(advice ?? []), ...(recommendation?.reasons ?? []).map((reason) => `- ${reason}`)]),
    !synthesis?.deliverable && gaps.length > 0 && `Missing: ${gaps.join("; ")}.`,
  ];
  return lines.filter(Boolean).join("\n") || "There is nothing to report.";
}
