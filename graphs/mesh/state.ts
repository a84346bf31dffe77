import type { AIMessage, BaseMessage } from "@langchain/core/messages";
import {
  appending,
  byKey,
  type CodeCondition,
  type Condition,
  JudgeAnswer,
  type LedgerEntry,
  ledgerState,
  taskState,
} from "ensemble/patterns";
import { z } from "zod";
import { Intention } from "./members.ts";

const internal = <Value>() => z.unknown() as unknown as z.ZodType<Value>;

const Announced = Intention.omit({ shouldAct: true }).extend({
  agent: z.string().describe("Agent with this intention"),
  strength: z
    .number()
    .describe("Mean of the agent's standing and the intention's priority. Of two opposed intentions, the stronger one is carried out."),
});
export type Announced = z.infer<typeof Announced>;

const Objection = z.object({
  by: z.string().describe("Agent that objects"),
  against: z.string().describe("Agent whose intention is meant"),
  reason: z.string().describe("Why"),
  severity: z.enum(["block", "concern"]).describe("`block` or `concern`. A concern does not stop the other agent."),
});
export type Objection = z.infer<typeof Objection>;

const Effect = z.object({
  agent: z.string().describe("Agent that acted"),
  status: z.enum(["success", "failed", "timeout"]).describe("Outcome of its action"),
  changed: z.array(z.string()).describe("Keys that it changed"),
  refused: z.array(z.string()).describe("Keys that it wrote without having announced them"),
  expected: z.boolean().nullable().describe("Whether its expectation came true. Null if it had none"),
  error: z.string().nullable().describe("Why the action failed"),
});

const Withheld = z.object({
  agent: z.string().describe("Agent that did not act"),
  by: z.string().describe("Agent that acted in its place"),
  reason: z.string().describe("Objection"),
});

/** The record of one round in the output: the intentions, the objections, and the outcomes. */
export const Round = z.object({
  round: z.number().int().describe("Number of the round, from 1"),
  intentions: z.array(Announced).describe("Announced intentions"),
  objections: z.array(Objection).describe("Objections to them"),
  withheld: z.array(Withheld).describe("Intentions that were not carried out"),
  effects: z.array(Effect).describe("Outcomes of the intentions that were carried out"),
  lost: z.array(z.string()).describe("Agents that failed in this round, and that are not asked again"),
});
export type Round = z.infer<typeof Round>;

const Change = z.object({
  round: z.number().int().describe("Round of the change"),
  key: z.string().describe("Key of the board"),
  value: z.unknown().describe("New value"),
  by: z.string().describe("Agent that wrote it"),
});

/** The result of one agent in one part of a round. */
export interface Done {
  agent: string;
  status: "success" | "failed" | "timeout";
  result?: unknown;
  error?: string;
  message?: AIMessage;
}

/** The agents that may act in a round, the intentions that are withheld, and the objections. */
export interface Permit {
  acting: string[];
  withheld: z.infer<typeof Withheld>[];
  objections: Objection[];
}

/** The times of one part of a round, for one agent. */
export interface PartTimes {
  round: number;
  part: "look" | "object" | "act";
  startedAt: number;
  endedAt: number;
}

export const meshState = {
  ...taskState,
  board: z.record(z.string(), z.unknown()).default({}).describe("The shared board"),
  done: internal<Condition | CodeCondition | null>()
    .default(null)
    .describe("Condition that ends the run. It sees `board`, `round` and `task`."),
  round: z.number().int().default(0).describe("Rounds that have ended"),
  rounds: appending(Round, "All rounds: intentions, objections, what was withheld, and effects"),
  changes: appending(Change, "All changes of the board"),
  standings: z.record(z.string(), z.number()).default({}).describe("Standing of each agent, from 0 to 1"),
  lost: z.array(z.string()).default([]).describe("Agents that failed and are not asked again"),
  errors: z.record(z.string(), z.string()).default({}).describe("Last error of each lost agent"),
  quiet: z.number().int().default(0).describe("Number of last rounds in which no agent acted"),
  accepted: z.boolean().default(false).describe("Whether the result so far was accepted after failures"),
  advice: z.string().default("").describe("New instructions that a person gave after failures"),
  looked: appending(internal<Done>(), "Results of the agents that looked in this round"),
  objected: appending(internal<Done>(), "Results of the agents that were asked for objections in this round"),
  acted: appending(internal<Done>(), "Results of the agents that acted in this round"),
  times: appending(internal<PartTimes>(), "Times of every part of every round"),
  intentions: z.array(internal<Announced>()).default([]).describe("Intentions of this round"),
  permitted: internal<Permit | null>().default(null).describe("Who may act in this round"),
  answers: byKey(z.record(z.string(), JudgeAnswer), "Answers of the judge to questions of the condition, by place"),
  spoken: z.string().default("").describe("Last answer that was streamed to clients"),
  ...ledgerState,
};

export interface Mesh {
  task: string | null;
  messages: BaseMessage[];
  board: Record<string, unknown>;
  done: Condition | CodeCondition | null;
  round: number;
  rounds: Round[];
  changes: z.infer<typeof Change>[];
  standings: Record<string, number>;
  lost: string[];
  errors: Record<string, string>;
  quiet: number;
  accepted: boolean;
  advice: string;
  looked: Done[];
  times: PartTimes[];
  objected: Done[];
  acted: Done[];
  intentions: Announced[];
  permitted: Permit | null;
  answers: Record<string, Record<string, JudgeAnswer>>;
  spoken: string;
  ledger: LedgerEntry[];
}
