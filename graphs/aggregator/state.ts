import { StateSchema } from "@langchain/langgraph";
import { Aggregation, closed, failureState, LabelledResults, ledgerState, SynthesisAnswer, taskState } from "ensemble/patterns";
import { z } from "zod";

const Strategy = z.enum(["compare", "patterns", "recommend", "synthesize"]);

/**
 * The input of a run. Every field has a default. Without a default, a field that is not sent would keep its value from an earlier run on
 * the thread.
 */
const fields = {
  results: LabelledResults.default([]).describe("Results to aggregate. If empty, the report says so."),
  strategies: z
    .array(Strategy)
    .min(1)
    .default(["compare", "patterns", "recommend"])
    .describe("Strategies to apply. `synthesize` needs a model."),
  expected: z.array(z.string()).default([]).describe("Labels that should be among the results. Missing ones are reported as gaps."),
  deliverable: taskState.task.describe("Text to write from the results with `synthesize`, such as `a guide in Markdown`"),
  task: taskState.task.describe("Subject of the results"),
};
export const Input = closed({ ...fields, messages: z.array(z.unknown()).default([]).describe("Conversation that names the subject") });

export const State = new StateSchema({
  ...fields,
  ...failureState,
  messages: taskState.messages,
  comparison: Aggregation.shape.comparison.default(null),
  patterns: Aggregation.shape.patterns.default(null),
  recommendation: Aggregation.shape.recommendation.default(null),
  answer: SynthesisAnswer.nullable().default(null).describe("Result of `synthesize`"),
  written: z.string().nullable().default(null).describe("Result of `write`"),
  report: Aggregation.nullable().default(null).describe("The aggregated report"),
  ...ledgerState,
});

const { messages, report: aggregated, ledger, metrics } = State.fields;
export const Output = new StateSchema({ messages, report: aggregated, ledger, metrics });
