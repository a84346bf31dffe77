import { z } from "zod";

/** What a person reads in the end: findings in their place, never raw outputs pasted together. */
export const Synthesis = z.object({
  executiveSummary: z.string().min(1).describe("Two or three sentences"),
  findingsByCategory: z.record(z.string(), z.array(z.string())).describe("Findings, grouped"),
  recommendations: z.array(z.string()).describe("What to do, the most important first"),
  confidence: z.number().min(0).max(1).describe("How sure it is, 1 being certain"),
  gaps: z.array(z.string()).describe("What failed or is missing"),
});

export type Synthesis = z.infer<typeof Synthesis>;
