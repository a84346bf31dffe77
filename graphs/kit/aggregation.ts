import { z } from "zod";
import { Comparison } from "./comparison.ts";
import type { LabelledResult } from "./labelled-result.ts";
import { OutcomePatterns } from "./outcome-patterns.ts";
import { Recommendation } from "./recommendation.ts";
import { Synthesis } from "./synthesis.ts";

/** What several results say together. What was not asked for is null. */
export const Aggregation = z.object({
  comparison: Comparison.nullable().describe("Results side by side, with measures"),
  patterns: OutcomePatterns.nullable().describe("What held, and what failures share"),
  recommendation: Recommendation.nullable().describe("What to use in production; null when nothing succeeded"),
  synthesis: Synthesis.nullable().describe("What the texts say together"),
  gaps: z.array(z.string()).describe("What failed or is missing"),
});

export type Aggregation = z.infer<typeof Aggregation>;

/** Names what is missing: results that did not succeed, and labels that were expected and did not come. */
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
