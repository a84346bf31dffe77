import { z } from "zod";
import { Agreement, recommendationsOf, type Settlement, View } from "./conflicts.ts";
import type { Supervised } from "./state.ts";

const Disagreement = z.object({
  subject: z.string().describe("Subject of the contradiction"),
  recommendation: z.string().describe("Recommendation that holds"),
  reason: z.string().describe("Why it holds"),
  against: z.array(View.pick({ agent: true, recommendation: true, confidence: true })).describe("Views that do not hold"),
});

/** The final report, for a person. The model writes the summary, and code fills in all other fields. */
export const Report = z.object({
  executiveSummary: z.string().describe("Answer to the task"),
  findingsByCategory: z.record(z.string(), z.array(z.string())).describe("Findings, grouped"),
  recommendations: z.array(z.string()).describe("Recommendations that hold, the surest first"),
  confidence: z.number().min(0).max(1).describe("Mean confidence of the findings that hold, times the share of the steps that succeeded"),
  consensus: z.array(Agreement).describe("Subjects on which several agents agree"),
  disagreements: z.array(Disagreement).describe("Contradictions and what holds"),
  gaps: z.array(z.string()).describe("What failed or is missing"),
});

export type Report = z.infer<typeof Report>;

/** Returns the fields of the report that need no model. */
export function reportOf(state: Supervised, views: View[]): Omit<Report, "executiveSummary"> {
  const { steps, results, settlements, agreements, repeated } = state;
  const lost = new Set(settlements.flatMap(({ losers }) => losers.map(keyOf)));
  const held = views.filter((view) => !lost.has(keyOf(view))).toSorted((a, b) => b.confidence - a.confidence);
  const isNew = isNotIn(repeated);
  const byCategory = Map.groupBy(views.filter(isNew), ({ category }) => category);
  const done = steps.filter(({ id }) => results[id]?.status === "success").length;
  const mean = held.length > 0 ? held.reduce((sum, { confidence }) => sum + confidence, 0) / held.length : 1;
  return {
    findingsByCategory: Object.fromEntries([...byCategory].map(([category, found]) => [category, [...new Set(found.map(sentenceOf))]])),
    recommendations: recommendationsOf({ views: held.filter(isNew) }),
    confidence: Math.round(((mean * done) / steps.length) * 100) / 100,
    consensus: agreements,
    disagreements: settlements.map(disagreementOf),
    gaps: gapsOf(state),
  };
}

/** Returns the gaps of the report: steps without a result, and steps that could not be added to the plan. */
export function gapsOf({ steps, results, reviews }: Supervised): string[] {
  const missing = steps.filter(({ id }) => results[id]?.status !== "success");
  return [
    ...missing.map(({ id, task }) => `${id} (${task}): ${results[id]?.error ?? "not done"}`),
    ...reviews.flatMap(({ refused }) => refused.map((reason) => `not added: ${reason}`)),
  ];
}

/** Returns a filter for findings. The filter drops each finding that repeats another finding of higher confidence. */
export function isNotIn(repeated: View[]): (view: Omit<View, "weight">) => boolean {
  const keys = new Set(repeated.map(keyOf));
  return (view) => !keys.has(keyOf(view));
}

const keyOf = ({ agent, subject, recommendation }: Pick<View, "agent" | "subject" | "recommendation">) =>
  JSON.stringify([agent, subject, recommendation]);
const sentenceOf = ({ subject, statement }: View) => `${subject}: ${statement}`;

function disagreementOf({ subject, winner, reason, losers }: Settlement): z.infer<typeof Disagreement> {
  const against = losers.map(({ agent, recommendation, confidence }) => ({ agent, recommendation, confidence }));
  return { subject, recommendation: winner.recommendation, reason, against };
}
