import { StateSchema } from "@langchain/langgraph";
import {
  AgentData,
  AllowedHosts,
  AskTimeout,
  asAgent,
  asText,
  type ChoreographyValues,
  type Code,
  type Conditions,
  choreographyState,
  closingMessages,
  type Listener,
  leavesOf,
  listenerGraph,
  Material,
  type Member,
  patternContext,
  Roster,
  taskInput,
} from "ensemble/patterns";
import { z } from "zod";
import { Flow, type StateOf } from "./flow/builder.ts";
import { choiceOf, emissionsOf, inputOf, knownPart, patched } from "./flow/results.ts";
import { begin, type FlowStep, problemsOf, readersOf, Steps, toListeners, usualSteps } from "./flow/steps.ts";

export { and, or } from "./flow/builder.ts";

const Values = z.record(z.string(), z.unknown());
const Input = taskInput({
  input: Material.default(null).describe("Material for the first steps. Default: the task"),
  state: Values.default({}).describe(
    "First values of the flow's state. A step whose result is an object updates the keys that the state has.",
  ),
});

const State = new StateSchema({
  ...choreographyState,
  input: Material.default(null).describe("Material for the first steps"),
  state: Values.default({}).describe("The state of the flow"),
  status: z.enum(["running", "completed", "failed", "limit"]).default("running").describe("Whether all steps that began have finished"),
  output: z.unknown().default(null).describe("Result of the last step"),
  path: z.array(z.string()).default([]).describe("The events in their order: steps that finished, and labels"),
  waiting: z
    .array(
      z.object({
        step: z.string().describe("Step that did not start"),
        came: z.array(z.string()).describe("Events that have come"),
        missing: z.array(z.string()).describe("Events for which the step waits"),
      }),
    )
    .default([])
    .describe("Steps that did not start, because some of the events for which they waited never came"),
  exhausted: z.array(z.string()).default([]).describe("Steps that were not started again because of `maxFires`"),
  errors: z.record(z.string(), z.string()).default({}).describe("Last error of each step whose failure no other step handled"),
});
const { status, output, state, path, waiting, exhausted, errors, events, ledger, metrics, messages } = State.fields;
const Output = new StateSchema({ status, output, state, path, waiting, exhausted, errors, events, ledger, metrics, messages });

const shape = {
  steps: Steps.optional().describe("Steps of the run. Default: outline and doubts, draft, check, revise, finish"),
  agents: Roster.optional().describe("Agents to which steps refer by name"),
  onFailures: z.enum(["ask", "partial"]).default("ask").describe("After too many failures: ask a person, or end with the result so far"),
  askTimeoutSeconds: AskTimeout,
  allowedHosts: AllowedHosts,
};
const contextFor = (defaults: object) => patternContext(shape, defaults);

/** The options of `flow`: a schema of the state, the agents that steps name, and defaults for the context of a run. */
export interface FlowOptions<Schema extends z.ZodObject | undefined>
  extends Omit<z.input<ReturnType<typeof contextFor>>, "steps" | "agents"> {
  state?: Schema;
  agents?: Member[];
  name?: string;
  description?: string;
}

type Loaded = ChoreographyValues & { state: Record<string, unknown> };

/**
 * Begins the definition of a flow, in which finished steps start other steps. Add the steps with the methods of the returned object, and
 * call its method `compile` to get the graph.
 */
export function flow<Schema extends z.ZodObject | undefined = undefined>(options: FlowOptions<Schema> = {}) {
  const { state: schema, agents = [], name = "flow", description, ...defaults } = options;
  const code: Code = new Map(agents.map(asAgent).map((agent) => [agent.name, agent]));
  const conditions: Conditions = new Map();
  const context = contextFor(defaults);
  const keys = schema && Object.keys(schema.shape);
  const compile = (own: FlowStep[]) => {
    const [problem] = own.length > 0 ? problemsOf(own) : [];
    if (problem) throw new Error(`${name}: steps.${problem.path.join(".")}: ${problem.message}`);
    const usual = own.length > 0 ? own : usualSteps;
    const routers = new Set(own.filter(({ isRouter }) => isRouter).map((step) => step.name));
    return listenerGraph({
      ...{ name, description, state: State, input: Input, output: Output, context, code, conditions, judges: true },
      inputOf: (listener, wake, values) => inputOf(listener, wake, values as Loaded, code),
      ...{ shapeOf: choiceOf, fold: (values, added) => ({ state: patched((values as Loaded).state, added, keys) }) },
      emissionsOf: (listener, result, input) => {
        schema?.partial().parse(knownPart(result, keys ?? []));
        return emissionsOf(listener, result, input, routers.has(listener.name));
      },
      plan: ({ input, task, state: sent }, { steps = usual, agents: given = [] }) => ({
        ...{ listeners: toListeners(steps), agents: [...given, ...readersOf(steps).map((one) => AgentData.parse(one))], until: null },
        ...{ start: [{ type: begin, payload: input ?? task }], state: schema ? (schema.parse(sent) as object) : sent },
        ...{ status: "running", bounds: { maxEvents: 1_000, maxDepth: 1_000 } },
      }),
      conclude,
    });
  };
  return new Flow<StateOf<Schema>, object, ReturnType<typeof compile>>({ code, conditions, compile });
}

function conclude({ events, listeners, looks, failed, stopped, spoken }: ChoreographyValues) {
  const last = events.at(-1);
  const waiting = listeners.flatMap(({ name, on }) => {
    const came = Object.values(looks[name]?.partial ?? {}).flatMap((seqs) => seqs.map((seq) => events[seq - 1]?.type ?? ""));
    const missing = leavesOf(on)
      .map(({ type }) => type)
      .filter((type) => !came.includes(type));
    return came.length > 0 ? [{ step: name, came, missing }] : [];
  });
  const isFirstOnly = ({ on, maxFires }: Listener) => typeof on === "object" && "or" in on && maxFires === 1;
  return {
    status: stopped === "limit" ? "limit" : failed.length > 0 ? "failed" : "completed",
    output: last?.payload ?? null,
    path: events.slice(1).map(({ type }) => type),
    waiting,
    exhausted: listeners.filter((listener) => looks[listener.name]?.isExhausted && !isFirstOnly(listener)).map(({ name }) => name),
    errors: Object.fromEntries(failed.map(({ listener, error = "" }) => [listener, error])),
    messages: closingMessages({ spoken, events }, asText(last?.payload ?? null)),
  };
}

export const graph = flow().compile();
