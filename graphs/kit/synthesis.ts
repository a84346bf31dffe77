import { z } from "zod";

/** The final report for a person: structured findings instead of raw outputs. */
export const Synthesis = z.object({
  executiveSummary: z.string().min(1).describe("Two or three sentences"),
  findingsByCategory: z.record(z.string(), z.array(z.string())).describe("Findings, grouped"),
  recommendations: z.array(z.string()).describe("What to do, the most important first"),
  confidence: z.number().min(0).max(1).describe("How sure it is, 1 being certain"),
  gaps: z.array(z.string()).describe("What failed or is missing"),
});

export type Synthesis = z.infer<typeof Synthesis>;
