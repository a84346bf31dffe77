import { randomUUID } from "node:crypto";
import { type CompiledStateGraph, END, Overwrite, START, StateGraph, type StateSchema, type StateSchemaFields } from "@langchain/langgraph";
import type { z } from "zod";
import { mostSuperSteps } from "../../agent/context.ts";
import { guarded } from "../../agent/guards/whole.ts";
import { measured } from "../../agent/metrics/measured.ts";
import type { Facts } from "../../agent/metrics/run-metrics.ts";
import { beginTask } from "../../agent/task.ts";
import { checkAgents } from "../doing.ts";
import { changeOf, type Emission, keyOf } from "./event.ts";
import { arbitrate, choose, decide } from "./judge.ts";
import { afterPublish, askAboutFailures, type ChoreographyContext, type Config, match, next, publish, react, type Setup } from "./nodes.ts";
import { firstEvents } from "./publish.ts";
import type { ChoreographyValues } from "./state.ts";

/** The plan of a run. The pattern makes it from the run's input and context. */
export interface Planned extends Pick<ChoreographyValues, "listeners" | "agents" | "until"> {
  /** The events with which the run begins. */
  start?: Emission[];
  correlationId?: string;
  bounds?: ChoreographyValues["bounds"];
  /** The first values of the board. Each of them is published as an event. */
  board?: Record<string, unknown>;
}

/**
 * A pattern in which events wake listeners. It consists of schemas, a function that turns an input into listeners, and a function that
 * turns the event log into an output.
 */
export interface Choreography<Fields extends StateSchemaFields, Context extends z.ZodObject> extends Omit<Setup, "contextOf"> {
  description?: string;
  state: StateSchema<Fields>;
  input: z.ZodObject;
  output: { fields: object };
  context: Context;
  /** Returns the listeners of a run, its first events, and values for the pattern's own state keys. */
  plan(state: ChoreographyValues & StateSchema<Fields>["State"], context: z.output<Context>): Planned & object;
  /** Returns the state update that ends a run. */
  conclude(state: ChoreographyValues & StateSchema<Fields>["State"], context: z.output<Context>): object;
  /** Whether conditions can ask a judge. If so, the graph has the node `decide`. */
  judges?: boolean;
}

/** The compiled graph of a choreography. */
export type ListenerGraph<Fields extends StateSchemaFields> = CompiledStateGraph<
  StateSchema<Fields>["State"],
  StateSchema<Fields>["Update"],
  string,
  StateSchema<Fields>,
  StateSchema<Fields>
>;

/**
 * Returns a graph in which events wake listeners, and the results of listeners become events. The run ends when no listener is woken, when
 * the condition `until` holds, or at a limit. The graph has only the nodes that the pattern needs. For example, it has `decide` only if
 * conditions may ask a judge.
 */
export function listenerGraph<Fields extends StateSchemaFields, Context extends z.ZodObject>(
  pattern: Choreography<Fields, Context>,
): ListenerGraph<Fields> {
  const { name, description, state, input, output, context, plan, conclude, judges } = pattern;
  const parse = (config: Config) => context.parse(config.context ?? {}) as z.output<Context>;
  const setup: Setup = { ...pattern, contextOf: (config) => parse(config) as unknown as ChoreographyContext };
  const begin = (values: ChoreographyValues, config: Config) => {
    const first = beginTask(values);
    const fresh = { ...values, ...first };
    const { start = [], correlationId, board = {}, ...planned } = plan(fresh as never, parse(config));
    checkAgents(
      planned.listeners.map((listener) => listener.do),
      { agents: planned.agents, code: setup.code },
    );
    const changes = Object.entries(board).map(([key, payload]) => ({ type: changeOf(key), payload }));
    const events = firstEvents([...start, ...changes], correlationId ?? randomUUID());
    const marks = Object.keys(board).map((key, index) => [key, { version: 1, by: "start", confidence: 1, seq: start.length + index + 1 }]);
    return {
      ...first,
      task: first.task || null,
      ...cleared(),
      ...planned,
      events: new Overwrite(events),
      board,
      marks: Object.fromEntries(marks),
    };
  };
  const ways = ["react", ...(judges ? ["decide"] : []), ...(setup.controlOf ? ["choose"] : []), "askAboutFailures", "conclude"];
  const builder = new StateGraph({ state, input, output, context } as never) as unknown as LooseBuilder;
  builder.addNode("begin", begin).addNode("match", match(setup)).addNode("react", react(setup)).addNode("publish", publish(setup));
  builder.addEdge(START, "begin").addEdge("begin", "match").addConditionalEdges("match", next(setup), ways);
  builder.addEdge("react", "publish");
  if (setup.ruleOf) builder.addNode("arbitrate", arbitrate(setup)).addEdge("arbitrate", "publish");
  if (setup.ruleOf) builder.addConditionalEdges("publish", afterPublish(setup), ["arbitrate", "match"]);
  else builder.addEdge("publish", "match");
  if (setup.controlOf) builder.addNode("choose", choose(setup)).addEdge("choose", "match");
  if (judges) builder.addNode("decide", decide(setup)).addEdge("decide", "publish");
  builder.addNode("askAboutFailures", askAboutFailures(setup)).addEdge("askAboutFailures", "match");
  builder.addNode("conclude", (values: never, config: Config) => conclude(values, parse(config))).addEdge("conclude", END);
  return measured(guarded(builder.compile({ name, ...(description && { description }) })), factsOf).withConfig({
    recursionLimit: mostSuperSteps * 5,
  }) as never;
}

/** The update that clears the values of an earlier run on the thread. */
const cleared = () => ({
  ...{ conflicts: [], chosen: null, decided: new Overwrite([]), settlements: new Overwrite([]) },
  ...{ looks: {}, pending: [], again: [], failed: [], stopped: null, chain: [], advice: "" },
  ...{ reactions: new Overwrite([]), answers: new Overwrite({}), spoken: new Overwrite([]), ledger: new Overwrite([]) },
});

/** Counts the changes of the board and the settled conflicts, for the metrics of the run. Without a board, nothing is counted. */
function factsOf({ board, events, settlements = [] }: ChoreographyValues): Facts {
  if (!board) return {};
  return {
    findings: events.filter(({ type, from }) => keyOf(type) !== undefined && from !== "start").length,
    conflicts: settlements.length,
  };
}

/** The methods of `StateGraph` that this file uses, without types that depend on the pattern's schemas. */
interface LooseBuilder {
  addNode(name: string, node: unknown): LooseBuilder;
  addEdge(from: string, to: string): LooseBuilder;
  addConditionalEdges(from: string, choose: unknown, ways: string[]): LooseBuilder;
  compile(options: object): { withConfig(config: object): unknown };
}
