import { StateSchema } from "@langchain/langgraph";
import { ledgerState, taskState } from "ensemble/patterns";
import { z } from "zod";
import { Facts } from "./facts.ts";

const Other = z.object({ pattern: z.string().describe("Another suitable pattern"), reason: z.string().describe("Why it fits") });
const Asked = z.object({
  question: z.string().describe("Question about the task"),
  answer: z.enum(["yes", "no", "unknown"]).describe("Answer that the facts give"),
  facts: Facts.describe("Facts that gave the answer"),
});

/** The chosen pattern, and the facts, reasons and warnings of the choice. */
export const Choice = z.object({
  pattern: z.string().describe("Chosen pattern"),
  graphId: z.string().describe("Id of its graph"),
  reasons: z.array(z.string()).describe("Why it was chosen"),
  path: z.array(Asked).describe("Questions in the order in which they were asked. The last one decided, if its answer is yes."),
  runnersUp: z.array(Other).describe("Next two patterns"),
  payload: z
    .object({
      assistant_id: z.string().describe("Graph to start"),
      input: z.record(z.string(), z.unknown()).describe("Its input"),
      context: z.record(z.string(), z.unknown()).optional().describe("Its context"),
    })
    .describe("Body of the request POST /runs that starts the pattern"),
  estimate: z
    .object({
      calls: z.number().describe("Model calls"),
      tokens: z.number().describe("Tokens, at 2,000 a call"),
      dollars: z.number().nullable().describe("Cost at the price of the worker model. Null if it has no price."),
    })
    .describe("Expected cost of the pattern with its usual agents"),
  facts: Facts.describe("All known facts: those of the caller and those that the model found"),
  evidence: z.record(z.string(), z.string()).describe("Words of the task that show each found fact"),
  warnings: z.array(z.string()).describe("What to consider before the pattern is used"),
});
type Choice = z.infer<typeof Choice>;

/** The schema of the facts that a caller gives. It accepts null for a caller that gives no facts. */
export const GivenFacts = Facts.nullable()
  .default(null)
  .describe("Facts about the task. The model is asked only for those that are missing.");
export const Run = z.boolean().default(false).describe("Whether the chosen pattern is started at once, as a part of this run");

export const State = new StateSchema({
  ...taskState,
  facts: GivenFacts,
  run: Run,
  found: z.record(z.string(), z.unknown()).default({}).describe("Facts that the model found"),
  evidence: z.record(z.string(), z.string()).default({}).describe("Words of the task that show each found fact"),
  warnings: z.array(z.string()).default([]).describe("What to consider before the pattern is used"),
  choice: Choice.nullable().default(null).describe("The chosen pattern, and how it was chosen"),
  result: z.unknown().default(null).describe("With `run`: the answer of the chosen pattern"),
  ...ledgerState,
});
const { choice, result, ledger, metrics, messages } = State.fields;
export const Output = new StateSchema({ choice, result, ledger, metrics, messages });

/** Returns the choice as sentences, for the conversation. */
export function sentenceOf({ pattern, reasons, runnersUp, warnings }: Choice): string {
  const others = runnersUp.map((one) => `\`${one.pattern}\``).join(" and ");
  return [`Use \`${pattern}\`. ${reasons.join(" ")}`, `Next best: ${others}.`, ...warnings].join("\n\n");
}
