import { StateSchema } from "@langchain/langgraph";
import { z } from "zod";
import { Ledger } from "./ledger.ts";
import { appending } from "./state.ts";

export const Step = z.object({
  thought: z.string().describe("Text of the model before the call"),
  action: z.string().describe("Name of the tool"),
  input: z.unknown().describe("Arguments of the tool"),
  observation: z.string().describe("Result of the tool, or its error"),
});

/** The state of an agent beside its messages. Callers do not see the fields that begin with an underscore. */
export const AgentState = new StateSchema({
  steps: appending(Step, "The trace: every action and what was observed"),
  stopped: z.enum(["step_limit"]).nullable().default(null).describe("Reason of an early answer"),
  summary: z.string().default("").describe("Summary of the messages that the model no longer sees"),
  ledger: Ledger,
  _rounds: z.number().int().default(0).describe("Model calls since the last message of a person"),
  _folded: z.number().int().default(0).describe("Number of messages in the summary"),
  _offered: z.array(z.string()).default([]).describe("Tools that the model was offered, whatever a resuming run's context says"),
  _approve: z
    .array(z.string())
    .default([])
    .describe("Tools that need approval until the next message, whatever a resuming run's context says"),
});

export type AgentValues = typeof AgentState.State;
