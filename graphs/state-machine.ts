import { StateSchema } from "@langchain/langgraph";
import {
  AllowedHosts,
  AskTimeout,
  answerWith,
  asAgent,
  asText,
  type Code,
  type Conditions,
  diagramOf,
  eventsIn,
  type Machine,
  type Member,
  machineGraph,
  machineState,
  patternContext,
  problemsOfMachine,
  Roster,
  type RunningMachine,
  taskInput,
  warningsOfMachine,
} from "ensemble/patterns";
import { z } from "zod";
import { clerks, type MachineInCode, machineFields, machineOf, usualMachine } from "./state-machine/definition.ts";

const { auto } = machineState;
const Restart = z.boolean().default(false).describe("Whether the machine begins again at its first state");
const Input = taskInput(
  {
    event: z.string().trim().min(1).max(100).nullable().default(null).describe("Event for the machine of the thread"),
    data: z
      .record(z.string(), z.unknown())
      .default({})
      .describe("Data of the event. It is merged into the facts if the transition is taken."),
    reason: z.string().max(1_000).default("").describe("Reason of the event, for the history"),
    ...{ auto, restart: Restart },
  },
  ({ event, restart, auto }) => typeof event === "string" || restart === true || typeof auto === "boolean",
);

const State = new StateSchema({
  ...machineState,
  restart: Restart,
  status: z.enum(["running", "waiting", "final", "failed", "limit"]).default("running").describe("Whether the machine waits or has ended"),
  allowed: z.array(z.string()).default([]).describe("Events that the current state allows"),
  warnings: z.array(z.string()).default([]).describe("States from which the machine cannot reach an end"),
  diagram: z.string().default("").describe("Drawing of the machine, as a Mermaid state diagram"),
});
const { state, status, allowed, output, facts, visits, since, history, error, refused, warnings, diagram, ledger, metrics, messages } =
  State.fields;
const Output = new StateSchema({
  ...{ state, status, allowed, output, facts, visits, since, history, error, refused, warnings, diagram, ledger, metrics, messages },
});

const shape = {
  ...machineFields,
  agents: Roster.optional().describe("Agents to which actions refer by name"),
  maxSteps: z.number().int().min(1).max(1_000).default(100).describe("Maximum number of transitions in a run"),
  askTimeoutSeconds: AskTimeout,
  allowedHosts: AllowedHosts,
};
const contextFor = (defaults: object) => patternContext(shape, defaults, [], problemsOf);
type Context = ReturnType<typeof contextFor>;

/** Returns the problems of the machine in the context. */
function problemsOf({ initial, states, transitions }: Record<string, unknown>) {
  const parts = { initial, states, transitions };
  if (Object.values(parts).every((part) => part === undefined)) return [];
  const missing = Object.entries(parts).filter(([, part]) => part === undefined);
  if (missing.length > 0) return missing.map(([key]) => ({ path: [key], message: "a machine has initial, states and transitions" }));
  return problemsOfMachine(parts as unknown as Machine);
}

/**
 * The options of `stateMachine`: a machine, the agents that actions name, and defaults for the context of a run. The machine may contain
 * functions and agents.
 */
export interface StateMachineOptions extends Partial<MachineInCode>, Omit<z.input<Context>, keyof MachineInCode | "agents"> {
  agents?: Member[];
  name?: string;
  description?: string;
}

/**
 * Returns a graph that keeps a state machine in each thread. A run sends an event to the machine, and a table of transitions decides which
 * state follows.
 */
export function stateMachine(options: StateMachineOptions = {}) {
  const { initial, states, transitions, agents = [], name = "state-machine", description, ...defaults } = options;
  const code: Code = new Map([...clerks, ...agents].map(asAgent).map((agent) => [agent.name, agent]));
  const conditions: Conditions = new Map();
  const given = initial !== undefined && states && transitions ? { initial, states, transitions } : undefined;
  const own = machineOf(given ?? usualMachine, code, conditions);
  const [problem] = problemsOf(given ? { ...own } : { initial, states, transitions });
  if (problem) throw new Error(`${name}: ${problem.path.join(".")}: ${problem.message}`);
  return machineGraph({
    ...{ name, description, state: State, input: Input, output: Output, context: contextFor(defaults), code, conditions },
    plan: ({ machine }, { initial, states, transitions, agents = [] }) => {
      const sent = initial !== undefined && states && transitions ? { initial, states, transitions } : undefined;
      return { machine: sent ?? (given ? own : (machine ?? own)), agents };
    },
    conclude,
  });
}

/**
 * Returns the machine's current state, and the events that this state allows. In a final state, the answer is the text of the last action.
 */
function conclude(values: RunningMachine, { maxSteps }: z.output<Context>) {
  const { machine, state, error, refused, moves, spoken, output } = values;
  const allowed = eventsIn(machine, state);
  const isFinal = machine.states[state]?.final === true;
  const status = error !== null ? "failed" : isFinal ? "final" : moves >= maxSteps ? "limit" : "waiting";
  const next = isFinal ? "" : ` Allowed: ${allowed.join(", ") || "no event"}.`;
  const problem = error === null ? "" : `${error} `;
  const answer = isFinal && typeof output === "string" && error === null ? asText(output) : `${problem}The machine is in ${state}.${next}`;
  return {
    ...{ status, allowed, warnings: warningsOfMachine(machine), diagram: diagramOf(machine, state) },
    messages: refused ? [] : answerWith(answer, isFinal && error === null ? spoken[0] : undefined),
  };
}

export const graph = stateMachine();
