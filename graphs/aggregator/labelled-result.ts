import { z } from "zod";
import { closed } from "../agent/closed.ts";

/**
 * A result to compare with others. It may come from a scenario, an agent or any other source. Values that were not measured are left
 * out.
 */
export const LabelledResult = closed({
  label: z.string().trim().min(1).describe("Label of the result in the report"),
  status: z.enum(["success", "failed", "timeout", "skipped"]).default("success").describe("Outcome"),
  items: z.number().int().min(0).optional().describe("Processed items"),
  elapsedMs: z.number().min(0).optional().describe("Duration in milliseconds, including waiting"),
  workMs: z.number().min(0).optional().describe("Milliseconds spent on the items themselves, if measured separately from waiting"),
  workPerItem: z.number().positive().optional().describe("Work in one item, relative to an item of the other results. Default: 1."),
  expectedTime: z
    .number()
    .positive()
    .optional()
    .describe("Expected time for one unit of work, in any unit, because only the ratio to other results counts. Default: 1."),
  quality: z.number().min(0).max(1).optional().describe("Quality from 0 to 1. 1 is flawless."),
  expectedQuality: z.number().min(0).max(1).optional().describe("Quality below which the result is not recommended"),
  failedItems: z.number().int().min(0).optional().describe("Items that could not be processed, in addition to `items`"),
  errors: z
    .array(z.object({ type: z.string().describe("Type of the error"), message: z.string().describe("Message of the error") }))
    .default([])
    .describe("Errors"),
  tokens: z.number().int().min(0).optional().describe("Tokens that models used"),
  dollars: z.number().min(0).optional().describe("Cost of those tokens"),
  traits: z.record(z.string(), z.string()).default({}).describe("Traits such as batch size and distribution"),
  metrics: z.record(z.string(), z.number()).default({}).describe("Other measurements"),
  findings: z
    .array(
      z.object({ subject: z.string().describe("Subject of the finding"), says: z.string().describe("What it says about the subject") }),
    )
    .max(1_000)
    .default([])
    .describe("Findings. Those on one subject are compared between the results."),
  text: z.string().optional().describe("Text of the result, if the result is a text"),
});

export type LabelledResult = z.infer<typeof LabelledResult>;

/** The schema of a list of results with unique labels. */
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
