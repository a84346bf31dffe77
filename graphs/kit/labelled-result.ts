import { z } from "zod";

/** One of several results that are compared: a scenario's, an agent's, or anybody's. What was not measured is left out. */
export const LabelledResult = z.object({
  label: z.string().trim().min(1).describe("By which the report speaks of it"),
  status: z.enum(["success", "failed", "timeout", "skipped"]).default("success").describe("What came of it"),
  items: z.number().int().min(0).optional().describe("Items that were processed"),
  elapsedMs: z.number().min(0).optional().describe("Time that it took, waiting included"),
  workMs: z.number().min(0).optional().describe("Time spent on the items themselves, when it was measured apart from waiting"),
  quality: z.number().min(0).max(1).optional().describe("How good it is, 1 being flawless"),
  failedItems: z.number().int().min(0).optional().describe("Items that could not be processed, beside those that were"),
  errors: z
    .array(z.object({ type: z.string().describe("By which errors are told apart"), message: z.string().describe("What happened") }))
    .default([])
    .describe("What went wrong"),
  tokens: z.number().int().min(0).optional().describe("Tokens that models used for it"),
  dollars: z.number().min(0).optional().describe("What those cost"),
  traits: z.record(z.string(), z.string()).default({}).describe("How it was made, such as batch size and distribution"),
  metrics: z.record(z.string(), z.number()).default({}).describe("Whatever else was measured"),
  text: z.string().optional().describe("What it says, when it is a text"),
});

export type LabelledResult = z.infer<typeof LabelledResult>;

/** Results of which each has a label of its own. */
export const LabelledResults = z
  .array(LabelledResult)
  .max(1_000)
  .superRefine((results, context) => {
    results.forEach(({ label }, index) => {
      if (results.findIndex((other) => other.label === label) < index) {
        context.addIssue({ code: "custom", path: [index, "label"], message: `there is another result labelled "${label}"` });
      }
    });
  });
