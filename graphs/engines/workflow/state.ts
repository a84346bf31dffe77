import type { AIMessage, BaseMessage } from "@langchain/core/messages";
import { ReducedValue } from "@langchain/langgraph";
import { z } from "zod";
import type { LedgerEntry } from "../../agent/ledger.ts";
import { ledgerState } from "../../agent/metrics/measured.ts";
import { AgentData } from "../../agent/schema.ts";
import { appending } from "../../agent/state.ts";
import { Material, taskState } from "../../agent/task.ts";
import { Answer } from "../conditions.ts";
import { Decision, type Step, StepResult } from "./step.ts";

/**
 * Returns the schema of a state field that holds a record. If a node returns some keys of the record, only the values of these keys are
 * replaced.
 */
export const byKey = <Value extends z.ZodType>(value: Value, description: string) =>
  new ReducedValue(
    z
      .record(z.string(), value)
      .default(() => ({}))
      .describe(description),
    { inputSchema: z.record(z.string(), value), reducer: (all, more) => ({ ...all, ...more }) },
  );

/** The state keys of every workflow. A pattern adds its own keys. */
export const workflowState = {
  ...taskState,
  input: Material.default(null).describe("Material for the task"),
  steps: z
    .array(z.unknown() as unknown as z.ZodType<Step>)
    .default([])
    .describe("Steps, as planned"),
  agents: z.array(AgentData).default([]).describe("Agents of the run. Steps refer to them by name."),
  results: byKey(StepResult, "Outcome of each step"),
  order: appending(z.string(), "Steps in the order in which they were completed"),
  path: appending(Decision, "Conditions in the order in which they were checked"),
  answers: byKey(z.record(z.string(), Answer), "Answers of the judge, by step and question"),
  advice: z.string().default("").describe("New instructions that a person gave after failures"),
  accepted: z.boolean().default(false).describe("Whether no more work starts because a person or the context accepts the partial results"),
  run: z.string().nullable().default(null).describe("Run that does the steps. A redrive of a failed run tries failed steps again, once."),
  spoken: z
    .array(z.unknown() as z.ZodType<AIMessage>)
    .default([])
    .describe("Last message that was streamed to clients"),
  ...ledgerState,
};

/** The values of a workflow's state that the engine reads. */
export interface WorkflowValues {
  task: string | null;
  messages: BaseMessage[];
  input: unknown;
  steps: Step[];
  agents: z.infer<typeof AgentData>[];
  results: Record<string, StepResult>;
  order: string[];
  path: Decision[];
  answers: Record<string, Record<string, Answer>>;
  advice: string;
  accepted: boolean;
  run: string | null;
  spoken: AIMessage[];
  ledger: LedgerEntry[];
}
