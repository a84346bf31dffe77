import { z } from "zod";
import { Comparison } from "./comparison.ts";
import type { LabelledResult } from "./labelled-result.ts";
import { OutcomePatterns } from "./outcome-patterns.ts";
import { Recommendation } from "./recommendation.ts";
import { Agreement, Synthesis } from "./synthesis.ts";

/** The report of the aggregator. A part that the caller did not request is null. */
export const Aggregation = z.object({
  comparison: Comparison.nullable().describe("Results side by side, with measures"),
  patterns: OutcomePatterns.nullable().describe("Facts that successes share, and facts that failures share"),
  recommendation: Recommendation.nullable().describe("Recommendation for production. Null when nothing succeeded."),
  synthesis: Synthesis.nullable().describe("Summary of the texts"),
  ...Agreement.shape,
  gaps: z.array(z.string()).describe("Failed or missing results"),
});

export type Aggregation = z.infer<typeof Aggregation>;

/** Returns the gaps in the results. These are results that did not succeed, and expected labels that no result has. */
export function gapsOf(results: LabelledResult[], expected: string[] = []): string[] {
  if (results.length === 0 && expected.length === 0) return ["no results were given"];
  const missing = expected.filter((label) => results.every((result) => result.label !== label));
  return [...results.filter(({ status }) => status !== "success").map(gapOf), ...missing.map((label) => `${label}: missing`)];
}

function gapOf({ label, status, errors }: LabelledResult): string {
  const [first, ...others] = errors;
  const more = others.length > 0 ? `, and ${others.length} more` : "";
  return first ? `${label}: ${status} (${first.type}: ${first.message}${more})` : `${label}: ${status}`;
}
