import type { AIMessage, BaseMessage } from "@langchain/core/messages";
import { z } from "zod";
import type { LedgerEntry } from "../../agent/ledger.ts";
import { ledgerState } from "../../agent/metrics/measured.ts";
import type { Outcome } from "../../agent/run-agent.ts";
import { AgentData } from "../../agent/schema.ts";
import { appending } from "../../agent/state.ts";
import { Material, taskState } from "../../agent/task.ts";
import { Answer } from "../conditions.ts";
import { byKey } from "../workflow/state.ts";
import type { Machine, Transition } from "./table.ts";

const internal = <Value>() => z.unknown() as unknown as z.ZodType<Value>;

/** An entry of the history of a machine. */
export const Change = z.object({
  from: z.string().describe("State before"),
  event: z.string().nullable().describe("Event. Null for a transition without an event"),
  to: z.string().describe("State after the change. It is the same as before if an action failed and the machine stayed in its state"),
  guard: z.record(z.string(), z.unknown()).nullable().describe("Values that the guard read. Null without a guard"),
  action: z.enum(["success", "failed", "timeout"]).nullable().describe("Outcome of the action. Null without an action"),
  at: z.string().describe("Time of the change"),
  reason: z.string().describe("Reason of the change: the caller's reason, `event`, `automatic`, `timeout`, or the error of the action"),
});
export type Change = z.infer<typeof Change>;

/** A transition that is being taken. */
export interface Taking {
  transition: Transition;
  event: string | null;
  seen: Record<string, unknown> | null;
  reason: string;
  /** The number of failed tries of the action. */
  tries: number;
  /** The error of the last failed try. Undefined on the first try. */
  error?: string;
}

/** The result of one try of an action. The node `settle` turns the result into a state update. */
export type Acted = Pick<Outcome, "status"> & {
  result?: unknown;
  error?: string;
  isFatal?: boolean;
  isOverdue?: boolean;
  message?: AIMessage;
};

/** The reason why an event was refused in a state with a time limit. In any other state, a refused event fails the run. */
export const Refusal = z.object({
  event: z.string().describe("Event that was refused"),
  error: z.string().describe("`InvalidTransition` or `GuardFailed`"),
  message: z.string().describe("Why it was refused"),
});

/** The state keys of every machine. A pattern adds its own keys. */
export const machineState = {
  ...taskState,
  event: z.string().nullable().default(null).describe("Event that the caller sent"),
  data: z.record(z.string(), z.unknown()).default({}).describe("Data of the event"),
  reason: z.string().default("").describe("Reason that the caller gave"),
  auto: z.boolean().default(true).describe("Whether the machine takes transitions without an event after the first transition of the run"),
  machine: internal<Machine | null>().default(null).describe("The machine of the thread"),
  agents: z.array(AgentData).default([]).describe("Agents to which actions refer by name"),
  state: z.string().nullable().default(null).describe("Current state of the machine"),
  since: z.string().default("").describe("Time at which the machine entered the state"),
  visits: z.record(z.string(), z.number().int()).default({}).describe("How often the machine has entered each state"),
  facts: z.record(z.string(), z.unknown()).default({}).describe("Data of all events so far, and the saved results of actions"),
  output: Material.default(null).describe("Result of the last action"),
  history: appending(Change, "All changes of the state, the first one first"),
  answers: byKey(z.record(z.string(), Answer), "Answers of the judge, by the place where a guard was checked and the question"),
  taking: internal<Taking | null>().default(null).describe("Transition that is being taken"),
  acted: internal<Acted | null>().default(null).describe("Result of the transition's action"),
  isOverdue: z.boolean().default(false).describe("Whether the time limit of the state has passed"),
  moves: z.number().int().default(0).describe("Transitions that the run has taken"),
  error: z.string().nullable().default(null).describe("Error of the action that failed in this run"),
  refused: Refusal.nullable().default(null).describe("Why the last event was refused, in a state with a time limit"),
  spoken: z
    .array(z.unknown() as z.ZodType<AIMessage>)
    .default([])
    .describe("Last message that was streamed to clients"),
  ...ledgerState,
};

/** The values of a machine's state that the engine reads. */
export interface MachineValues {
  task: string | null;
  messages: BaseMessage[];
  event: string | null;
  data: Record<string, unknown>;
  reason: string;
  auto: boolean;
  machine: Machine | null;
  agents: z.infer<typeof AgentData>[];
  state: string | null;
  since: string;
  visits: Record<string, number>;
  facts: Record<string, unknown>;
  output?: unknown;
  history: Change[];
  answers: Record<string, Record<string, Answer>>;
  taking: Taking | null;
  acted: Acted | null;
  isOverdue: boolean;
  moves: number;
  error: string | null;
  refused: z.infer<typeof Refusal> | null;
  spoken: AIMessage[];
  ledger: LedgerEntry[];
}

/** The values of a machine's state after the machine has begun. From then on, `machine` and `state` are never null. */
export interface Running extends MachineValues {
  machine: Machine;
  state: string;
}

/** Returns the values that guards can compare, and that can be inserted into the arguments of actions. */
export const valuesOf = ({ task, state, event, data, facts, output, visits }: MachineValues): Record<string, unknown> => ({
  ...{ task, state, event, data, output, visits },
  facts: { ...facts, ...data },
});

/** Returns the milliseconds until the current state's time limit. Returns Infinity if the state has no limit. */
export function msLeft({ machine, state, since }: Running): number {
  const { timeoutSeconds } = machine.states[state] ?? {};
  return timeoutSeconds === undefined ? Number.POSITIVE_INFINITY : Date.parse(since) + timeoutSeconds * 1_000 - Date.now();
}
