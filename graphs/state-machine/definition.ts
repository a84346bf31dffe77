import {
  agent,
  type Code,
  Condition,
  type ConditionInCode,
  type Conditions,
  closed,
  conditionToData,
  Doing,
  type DoingInCode,
  type Machine,
  type Member,
  type Transition,
  toData,
} from "ensemble/patterns";
import { z } from "zod";

const Name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^.]+$/, "a name has no dots");

const StateSchema = closed({
  final: z.boolean().optional().describe("Whether the machine ends in this state"),
  timeoutSeconds: z
    .number()
    .positive()
    .max(31_536_000)
    .optional()
    .describe("Seconds after which the machine leaves the state without an event"),
  onTimeout: Name.optional().describe("State that follows when the time limit passes"),
});

const TransitionSchema = closed({
  from: Name.describe("State before"),
  event: Name.optional().describe("Event of the transition. Without an event, the machine takes the transition automatically."),
  to: Name.describe("State after"),
  guard: Condition.optional().describe("Condition. It sees `facts`, `data`, `output`, `event`, `state`, `visits` and `task`."),
  action: Doing.optional().describe("Work to do before the state changes"),
  onFailure: Name.optional().describe("State that follows if the action fails. Default: the machine stays in its state"),
  saveAs: Name.optional().describe("Name of the fact that stores the result of the action"),
  timeoutSeconds: z.number().positive().max(86_400).default(30).describe("Timeout of one try of the action"),
  retries: z.number().int().min(0).max(10).default(2).describe("How often a failed action is tried again"),
});

/** The context fields that define a machine. */
export const machineFields = {
  initial: Name.optional().describe(
    "First state. It needs `states` and `transitions` as well. Default: a machine that validates and processes an order",
  ),
  states: z
    .record(Name, StateSchema)
    .refine((states) => Object.keys(states).length <= 100, "at most 100 states")
    .optional()
    .describe("States by name"),
  transitions: z.array(TransitionSchema).min(1).max(500).optional().describe("Transitions. Several for one event are tried in order."),
};

/** A transition in code. Its guard can be a function. Its action can be a function or an agent. */
export type TransitionInCode = Omit<z.input<typeof TransitionSchema>, "guard" | "action"> & {
  guard?: ConditionInCode;
  action?: DoingInCode;
};

/** A machine in code. Its guards can be functions. Its actions can be functions or agents. */
export interface MachineInCode {
  initial: string;
  states: Record<string, z.input<typeof StateSchema>>;
  transitions: TransitionInCode[];
}

/**
 * Converts a machine from TypeScript code to JSON. Its functions and agents go into `code` and `conditions`, and the JSON refers to them by
 * name.
 */
export function machineOf({ initial, states, transitions }: MachineInCode, code: Code, conditions: Conditions): Machine {
  return {
    initial,
    states: z.record(Name, StateSchema).parse(states),
    transitions: transitions.map(({ guard, action, ...transition }, index): Transition => {
      const { guard: _, action: __, ...parsed } = TransitionSchema.parse(transition);
      const place = `${transition.event ?? transition.to}.${index}`;
      return {
        ...parsed,
        ...(guard && { guard: conditionToData(guard, place, conditions) }),
        ...(action && { action: toData(action, place, code) }),
      };
    }),
  };
}

const Verdict = {
  type: "object",
  properties: {
    valid: { type: "boolean", description: "Whether the order can be carried out as it is" },
    reason: { type: "string", description: "Why" },
  },
  required: ["valid", "reason"],
};

/** The agents of the default machine. */
export const clerks: Member[] = [agent({ name: "validator", role: "a clerk who checks orders", output: Verdict })];

const isValid = { path: "facts.verdict.valid", is: true };

/** The default machine, for runs that define no machine. An order is validated, processed and completed, or it fails. */
export const usualMachine: MachineInCode = {
  initial: "CREATED",
  states: { CREATED: {}, VALIDATING: {}, VALIDATED: {}, PROCESSING: {}, COMPLETED: { final: true }, FAILED: { final: true } },
  transitions: [
    {
      from: "CREATED",
      to: "VALIDATING",
      action: { agent: "validator", task: "Can the order in `task` be carried out as it is?" },
      saveAs: "verdict",
    },
    { from: "VALIDATING", to: "VALIDATED", guard: isValid },
    { from: "VALIDATING", to: "FAILED", action: { task: "Say in two sentences why the order was refused, and what would help." } },
    {
      from: "VALIDATED",
      to: "PROCESSING",
      action: { task: "Carry out the order in `task`. Answer with the result only." },
      saveAs: "result",
    },
    { from: "PROCESSING", to: "COMPLETED", action: { task: "Tell the customer the result of the order, in at most five sentences." } },
  ],
};
