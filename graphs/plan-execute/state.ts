import { StateSchema } from "@langchain/langgraph";
import { appending, ledgerState, ToolName, taskInput, taskState } from "ensemble/patterns";
import { z } from "zod";
import { Revision, Step } from "./plan.ts";

export const Input = taskInput({});

export const State = new StateSchema({
  ...taskState,
  plan: z.array(Step).default([]).describe("Steps with their results"),
  revisions: appending(Revision, "Every change of the plan, and why"),
  enough: z.boolean().default(false).describe("Whether the task can be answered without the remaining steps"),
  answer: z.string().nullable().default(null).describe("The answer"),
  gaps: z.array(z.string()).default([]).describe("Steps that failed, and why"),
  approve: z
    .array(ToolName)
    .default([])
    .describe("Tools that need approval in every step. A run that resumes this one does not change them."),
  ...ledgerState,
});
const { answer, gaps, plan, revisions, ledger, metrics, messages } = State.fields;
export const Output = new StateSchema({ answer, gaps, plan, revisions, ledger, metrics, messages });

export type Values = typeof State.State;
