import { z } from "zod";

const Advice = z.object({
  action: z.string().describe("What to do"),
  confidence: z.number().min(0).max(1).nullable().describe("How sure it is, 1 being certain. Null when nobody said."),
});

const Agreed = z.object({
  subject: z.string().describe("What the results agree on"),
  says: z.string().describe("What they say"),
  labels: z.array(z.string()).describe("Results that say so"),
});

const Disputed = z.object({
  subject: z.string().describe("What the results disagree on"),
  views: z
    .array(z.object({ says: z.string().describe("One view"), labels: z.array(z.string()).describe("Results that hold it") }))
    .describe("The views, that of the most results first"),
});

/** The points on which results agree or disagree. Each point has the labels of the results concerned. */
export const Agreement = z.object({
  consensus: z.array(Agreed).default([]).describe("What several results agree on"),
  disagreements: z.array(Disputed).default([]).describe("What results contradict each other on"),
});

export type Agreement = z.infer<typeof Agreement>;

/** The part of the report that a model writes for people. It contains structured findings, but no raw outputs. */
export const Synthesis = z.object({
  executiveSummary: z.string().min(1).describe("Two or three sentences"),
  findingsByCategory: z.record(z.string(), z.array(z.string())).describe("Findings, grouped"),
  recommendations: z.array(Advice).describe("What to do, the most important first"),
  confidence: z.number().min(0).max(1).describe("How sure it is, 1 being certain"),
  gaps: z.array(z.string()).describe("What failed or is missing"),
  deliverable: z.string().nullable().default(null).describe("The text that was asked for, if one was"),
});

export type Synthesis = z.infer<typeof Synthesis>;

/** The schema of the model's answer. An action may also be plain text, because some models return text in place of an object. */
export const SynthesisAnswer = Synthesis.omit({ deliverable: true }).extend({
  recommendations: z.array(z.union([Advice, z.string()])).describe("What to do, the most important first"),
  ...Agreement.shape,
});

/** Splits a model's answer into the synthesis, and the points on which the results agree or disagree. */
export function readSynthesis({ consensus, disagreements, ...answer }: z.infer<typeof SynthesisAnswer>) {
  const recommendations = answer.recommendations.map((one) => (typeof one === "string" ? { action: one, confidence: null } : one));
  return { synthesis: { ...answer, recommendations, deliverable: null }, agreement: { consensus, disagreements } };
}
