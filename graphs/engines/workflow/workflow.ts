import { type CompiledStateGraph, END, Overwrite, START, StateGraph, type StateSchema, type StateSchemaFields } from "@langchain/langgraph";
import type { z } from "zod";
import { mostSuperSteps } from "../../agent/context.ts";
import { guarded } from "../../agent/guards/whole.ts";
import { measured } from "../../agent/metrics/measured.ts";
import { beginTask } from "../../agent/task.ts";
import { checkAgents } from "../doing.ts";
import { type CompensatedValues, compensate, toUndo } from "./compensate.ts";
import { factsOf } from "./facts.ts";
import {
  askAboutFailures,
  type Config,
  decide,
  hasStopped,
  next,
  type Setup,
  settle,
  settled,
  step,
  type WorkflowContext,
} from "./nodes.ts";
import { retryFailures, runOf } from "./redrive.ts";
import { askReviewer } from "./review.ts";
import type { WorkflowValues } from "./state.ts";
import type { Step } from "./step.ts";

type Values<Fields extends StateSchemaFields> = WorkflowValues & StateSchema<Fields>["State"];
type Planned = Pick<WorkflowValues, "agents" | "steps"> & Partial<Pick<WorkflowValues, "results">>;

/**
 * A pattern that runs steps in waves. It consists of schemas, a function that turns an input into steps, and a function that turns the
 * results into an output.
 */
export interface Workflow<Fields extends StateSchemaFields, Context extends z.ZodObject> extends Omit<Setup, "contextOf"> {
  description?: string;
  state: StateSchema<Fields>;
  input: z.ZodObject;
  output: { fields: object };
  context: Context;
  /** Returns the steps of a run, the agents to which they refer, and values of the pattern's own state keys. */
  plan(values: Values<Fields>, context: z.output<Context>, config: Config): Planned | Promise<Planned>;
  /** Returns the state update that ends a run. */
  conclude(values: Values<Fields>, context: z.output<Context>, config: Config): object | Promise<object>;
  /** The name of the node that plans. Default: begin. */
  planner?: string;
  /** Whether conditions can ask a judge. If so, the graph has the node `decide`. */
  judges?: boolean;
  /** Whether a person must approve the output of some steps. If so, the graph has the node `askReviewer`. */
  reviews?: boolean;
  /** Whether the completed steps are undone when the workflow stops. If so, the graph has the node `compensate`. */
  compensates?: boolean;
}

/** The compiled graph of a workflow. */
export type WorkflowGraph<Fields extends StateSchemaFields> = CompiledStateGraph<
  StateSchema<Fields>["State"],
  StateSchema<Fields>["Update"],
  string,
  StateSchema<Fields>,
  StateSchema<Fields>
>;

/**
 * Returns a graph that runs steps in waves. A wave contains each step whose condition holds and whose needed steps have ended. The graph
 * has only the nodes that the pattern needs. `decide` asks the judge the questions of conditions. `askAboutFailures` asks a person after
 * too many failures. `compensate` undoes steps.
 */
export function workflow<Fields extends StateSchemaFields, Context extends z.ZodObject>(
  pattern: Workflow<Fields, Context>,
): WorkflowGraph<Fields> {
  const {
    name,
    description,
    state,
    input,
    output,
    context,
    plan,
    conclude,
    planner = "begin",
    judges,
    reviews,
    compensates,
    mostFailures,
  } = pattern;
  const parse = (config: Config) => context.parse(config.context ?? {}) as z.output<Context>;
  const setup: Setup = { ...pattern, contextOf: (config) => parse(config) as unknown as WorkflowContext };
  const begin = async (values: WorkflowValues, config: Config) => {
    if ((values as CompensatedValues).undo === true) return {};
    const fresh = { ...values, ...beginTask(values), ...cleared };
    const planned = await plan(fresh as never, parse(config), config);
    checkAgents(planned.steps.flatMap(workIn), { agents: planned.agents, code: setup.code });
    const first = settled(setup, { ...fresh, ...planned });
    const lists = {
      ...emptied,
      results: new Overwrite({ ...planned.results, ...first.results }),
      path: new Overwrite(first.path),
      order: new Overwrite(first.order),
    };
    return { ...beginTask(values), ...planned, ...lists, advice: "", accepted: false, spoken: [], run: runOf(config) };
  };
  const undoOrEnd = (values: CompensatedValues) => (toUndo(values).length > 0 ? "compensate" : "conclude");
  const end = (values: WorkflowValues) =>
    compensates && (hasStopped(values) || isUndoing(values)) ? undoOrEnd(values as CompensatedValues) : "conclude";
  const afterWave = (values: WorkflowValues, config: Config) => {
    const following = isUndoing(values) ? "over" : next(setup)(values, config);
    return following === "over" ? end(values) : following;
  };
  const ways = [
    "step",
    ...(judges ? ["decide"] : []),
    ...(mostFailures ? ["askAboutFailures"] : []),
    ...(reviews ? ["askReviewer"] : []),
    ...(compensates ? ["compensate"] : []),
    "conclude",
  ];
  const builder = new StateGraph({ state, input, output, context } as never) as unknown as LooseBuilder;
  builder.addNode(planner, begin).addNode("step", step(setup)).addNode("settle", settle(setup));
  builder.addEdge(START, planner).addConditionalEdges(planner, afterWave, ways).addEdge("step", "settle");
  builder.addConditionalEdges("settle", afterWave, ways);
  if (judges) builder.addNode("decide", decide(setup)).addEdge("decide", "settle");
  if (mostFailures) builder.addNode("askAboutFailures", askAboutFailures(setup)).addConditionalEdges("askAboutFailures", afterWave, ways);
  if (reviews) builder.addNode("askReviewer", askReviewer(setup)).addConditionalEdges("askReviewer", afterWave, ways);
  if (compensates) {
    builder.addNode("compensate", compensate(setup)).addConditionalEdges("compensate", undoOrEnd, ["compensate", "conclude"]);
  }
  const concludeOrRetry = (values: WorkflowValues, config: Config) =>
    (compensates ? undefined : retryFailures(values, config)) ?? conclude(values as never, parse(config), config);
  builder.addNode("conclude", concludeOrRetry).addEdge("conclude", END);
  const graph = guarded(builder.compile({ name, ...(description && { description }) }));
  return measured(graph, factsOf).withConfig({ recursionLimit: mostSuperSteps }) as never;
}

/** Tells whether the run was started only to undo steps: those of the thread's previous run, or one step that the caller names. */
function isUndoing(values: WorkflowValues): boolean {
  const { undo, undoOnly } = values as CompensatedValues;
  return undo === true || (undoOnly ?? null) !== null;
}

const workIn = ({ do: work, onFailure, compensate }: Step) => [work, compensate, Object(onFailure).handler];

/** The initial values of a run. */
const cleared = { results: {}, order: [], path: [], answers: {}, advice: "", accepted: false, spoken: [], ledger: [] };
/** The update that empties fields of the state, because an earlier run on the thread may have filled them. */
const emptied = { answers: new Overwrite({}), ledger: new Overwrite([]), compensations: new Overwrite([]) };

/** The methods of `StateGraph` that this file uses, without types that depend on the pattern's schemas. */
interface LooseBuilder {
  addNode(name: string, node: unknown): LooseBuilder;
  addEdge(from: string, to: string): LooseBuilder;
  addConditionalEdges(from: string, choose: unknown, ways: string[]): LooseBuilder;
  compile(options: object): { withConfig(config: object): unknown };
}
