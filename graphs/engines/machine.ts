import { HumanMessage } from "@langchain/core/messages";
import { type CompiledStateGraph, END, Overwrite, START, StateGraph, type StateSchema, type StateSchemaFields } from "@langchain/langgraph";
import type { z } from "zod";
import { mostSuperSteps } from "../agent/context.ts";
import { guarded } from "../agent/guards/whole.ts";
import { measured } from "../agent/metrics/measured.ts";
import { beginTask } from "../agent/task.ts";
import { checkAgents } from "./doing.ts";
import { act, type Config, decide, interpret, type MachineContext, type Setup, wait } from "./machine/nodes.ts";
import { settle } from "./machine/settle.ts";
import { type MachineValues, msLeft, type Running } from "./machine/state.ts";
import { candidatesFor, eventsIn, type Machine } from "./machine/table.ts";
import { afterTake, take } from "./machine/take.ts";

interface Planned {
  machine: Machine;
  agents: MachineValues["agents"];
}

/** A pattern that is a state machine: its schemas, and the functions that return the machine of a run and the run's output. */
export interface MachinePattern<Fields extends StateSchemaFields, Context extends z.ZodObject> extends Omit<Setup, "contextOf"> {
  description?: string;
  state: StateSchema<Fields>;
  input: z.ZodObject;
  output: { fields: object };
  context: Context;
  /** Returns the machine of a run, and the agents to which its actions refer. */
  plan(values: MachineValues, context: z.output<Context>): Planned;
  /** Returns the state update of the node `conclude`. After this node, the run ends or the machine waits for an event. */
  conclude(values: Running, context: z.output<Context>): object;
}

/** The compiled graph of a state machine. */
export type MachineGraph<Fields extends StateSchemaFields> = CompiledStateGraph<
  StateSchema<Fields>["State"],
  StateSchema<Fields>["Update"],
  string,
  StateSchema<Fields>,
  StateSchema<Fields>
>;

/**
 * Returns a graph that keeps a state machine in each thread. A run sends an event to the machine. `take` finds the transition, `act` does
 * its action, and `settle` changes the state. Then the machine takes transitions that need no event, until none is left. In a state with a
 * time limit, `wait` asks the caller for the next event. If no event comes in time, the service's timer answers.
 */
export function machineGraph<Fields extends StateSchemaFields, Context extends z.ZodObject>(
  pattern: MachinePattern<Fields, Context>,
): MachineGraph<Fields> {
  const { name, description, state, input, output, context, conclude } = pattern;
  const parse = (config: Config) => context.parse(config.context ?? {}) as z.output<Context>;
  const setup: Setup = { ...pattern, contextOf: (config) => parse(config) as unknown as MachineContext };
  const builder = new StateGraph({ state, input, output, context } as never) as unknown as LooseBuilder;
  builder.addNode("begin", (values: MachineValues, config: Config) => begin(values, pattern.plan(values, parse(config)), setup));
  builder.addNode("interpret", interpret(setup)).addNode("take", take(setup)).addNode("decide", decide(setup));
  builder.addNode("act", act(setup)).addNode("settle", settle(setup)).addNode("wait", wait(setup));
  builder.addNode("conclude", (values: Running, config: Config) => conclude(values, parse(config)));
  builder.addEdge(START, "begin").addConditionalEdges("begin", afterBegin, ["interpret", "take"]).addEdge("interpret", "take");
  builder.addConditionalEdges("take", afterTake(setup), ["act", "settle", "decide", "conclude"]).addEdge("decide", "take");
  builder.addEdge("act", "settle").addConditionalEdges("settle", ({ taking }: Running) => (taking ? "act" : "take"), ["act", "take"]);
  builder.addConditionalEdges("conclude", afterConclude, ["wait", END]).addEdge("wait", "take");
  return measured(guarded(builder.compile({ name, ...(description && { description }) }))).withConfig({
    recursionLimit: mostSuperSteps * 5,
  }) as never;
}

/**
 * Begins a run. The machine of the thread continues in its current state. A new or restarted machine begins in its first state. So does a
 * finished machine, unless the run sends an event.
 */
function begin(values: MachineValues & { restart?: boolean }, { machine, agents }: Planned, setup: Setup) {
  const { messages } = values;
  const isAsked = values.task !== null || HumanMessage.isInstance(messages.at(-1));
  const first = isAsked ? beginTask(values) : { task: "", messages: [] };
  checkAgents(
    machine.transitions.map(({ action }) => action),
    { agents, code: setup.code },
  );
  const { state: before, event: sent, data, restart } = values;
  const isNew = before === null || restart || (machine.states[before]?.final === true && sent === null);
  const state = isNew ? machine.initial : before;
  if (!machine.states[state]) throw new Error(`The machine is in "${state}", which is not among its states. Send restart: true.`);
  const named = eventsIn(machine, state).find((event) => event.toLowerCase() === first.task.trim().toLowerCase());
  const started = {
    ...{ state, since: new Date().toISOString(), visits: { [state]: 1 }, history: new Overwrite([]), output: null },
    facts: { ...(first.task && { task: first.task }), ...(sent === null ? data : {}) },
  };
  return {
    ...{ ...first, task: first.task || null, machine, agents, event: sent ?? named ?? null, ...cleared() },
    ...(isNew && started),
  };
}

/** The update that clears the values of an earlier run on the thread. The state of the machine is kept. */
const cleared = () => ({
  ...{ taking: null, acted: null, isOverdue: false, moves: 0, error: null, refused: null, spoken: [] },
  ...{ answers: new Overwrite({}), ledger: new Overwrite([]) },
});

/** Returns the node after `begin`. If the machine needs an event and the run has none, the judge reads the message to choose the event. */
function afterBegin({ machine, state, event, task }: Running) {
  const isRead = event === null && task !== null && candidatesFor(machine, state, null).length === 0 && eventsIn(machine, state).length > 0;
  return isRead ? "interpret" : "take";
}

const afterConclude = (state: Running) => (Number.isFinite(msLeft(state)) ? "wait" : END);

/** The methods of `StateGraph` that this file uses, without types that depend on the pattern's schemas. */
interface LooseBuilder {
  addNode(name: string, node: unknown): LooseBuilder;
  addEdge(from: string, to: string): LooseBuilder;
  addConditionalEdges(from: string, choose: unknown, ways: string[]): LooseBuilder;
  compile(options: object): { withConfig(config: object): unknown };
}
