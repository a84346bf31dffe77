import { StateSchema } from "@langchain/langgraph";
import { z } from "zod";
import { Approval } from "./approval.ts";
import { failureState } from "./failing.ts";
import { Ledger } from "./ledger.ts";
import { Proposal } from "./proposal.ts";
import { appending } from "./state.ts";

export const Step = z.object({
  thought: z.string().describe("Text of the model before the call"),
  action: z.string().describe("Name of the tool"),
  input: z.unknown().describe("Arguments of the tool"),
  observation: z.string().describe("Result of the tool, or its error"),
  proposed: z.array(Proposal).optional().describe("Calls of tools of tier 3 that a called agent proposes to its caller instead"),
});

/**
 * The fields of an agent's state other than its messages. Fields whose names begin with an underscore are internal and hidden from callers.
 */
export const AgentState = new StateSchema({
  steps: appending(Step, "The trace: every tool call and its result"),
  stopped: z.enum(["step_limit"]).nullable().default(null).describe("Why the agent answered early. Null if it did not."),
  summary: z.string().default("").describe("Summary of the messages that the model no longer sees"),
  ledger: Ledger,
  ...failureState,
  _knowledge: z.string().default("").describe("Passages of knowledge before the task of this turn"),
  _rounds: z.number().int().default(0).describe("Number of model calls since the last message of a person"),
  _folded: z.number().int().default(0).describe("Number of messages that the summary replaces, counted from the first"),
  _offered: z.array(z.string()).default([]).describe("Tools that the model was offered. A run that resumes this one does not change them."),
  _decisions: z
    .record(z.string(), Approval)
    .default({})
    .describe("Decisions of a person on the calls of the last message, by the call's id"),
  _approve: z
    .array(z.string())
    .default([])
    .describe("Tools that need approval until the next message of a person. A run that resumes this one does not change them."),
});

export type AgentValues = typeof AgentState.State;
