import { StateSchema } from "@langchain/langgraph";
import {
  AllowedHosts,
  AskTimeout,
  asAgent,
  asText,
  type ChoreographyValues,
  type Code,
  Condition,
  type ConditionInCode,
  type Conditions,
  chainOf,
  choiceOf,
  choreographyState,
  closed,
  closingMessages,
  conditionToData,
  emissionsOf,
  heardBy,
  type Listener,
  listenerGraph,
  Material,
  type Member,
  patternContext,
  Roster,
  taskInput,
  type Wake,
} from "ensemble/patterns";
import { z } from "zod";
import { EventType, type ListenerInCode, Listeners, listenersOf, toListeners, waitingInVain } from "./choreography/listeners.ts";
import { startTesting, testers, testListeners } from "./choreography/testing.ts";

const Start = closed({
  type: EventType.optional().describe("Type of the first event. Default: START, or START_TESTING with the usual listeners"),
  payload: Material.describe("Content of the first event. Default: the task"),
  correlationId: z.string().min(1).max(200).optional().describe("Id that all events of the run share. Default: a new id"),
})
  .prefault({})
  .describe("The event with which the run begins");
const Until = Condition.nullable().default(null).describe("Condition that ends the run early. It sees `task` and `events`, by type.");

const Input = taskInput({ start: Start, until: Until });

const State = new StateSchema({
  ...choreographyState,
  start: Start,
  status: z.enum(["running", "quiescent", "until", "limit", "failures"]).default("running").describe("Why the run ended"),
  output: z.unknown().default(null).describe("Payload of the last event"),
  unheard: z.array(z.string()).default([]).describe("Types of events without a listener"),
  exhausted: z.array(z.string()).default([]).describe("Listeners that were not woken again because of `maxFires`"),
  errors: z.record(z.string(), z.string()).default({}).describe("Last error of each listener whose failure no other listener handled"),
  warnings: z.array(z.string()).default([]).describe("Events that listeners wait for but no listener publishes"),
});
const { status, output, events, unheard, exhausted, errors, warnings, chain, ledger, metrics, messages } = State.fields;
const Output = new StateSchema({ status, output, events, unheard, exhausted, errors, warnings, chain, ledger, metrics, messages });

const shape = {
  listeners: Listeners.optional().describe(
    "Listeners, each with the events that wake it. Default: testers that find, confirm, repair and report a problem",
  ),
  agents: Roster.optional().describe("Agents to which listeners refer by name"),
  maxEvents: z.number().int().min(1).max(1_000).default(200).describe("Number of events after which no listener is woken any more"),
  maxDepth: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(20)
    .describe("Length of the longest causal chain. An event beyond it wakes no listener."),
  onFailures: z.enum(["ask", "partial"]).default("ask").describe("After too many failures: ask a person, or end with the result so far"),
  askTimeoutSeconds: AskTimeout,
  allowedHosts: AllowedHosts,
};
const contextFor = (defaults: object) => patternContext(shape, defaults);
type Context = ReturnType<typeof contextFor>;

/** The options of `choreography`: listeners, agents, the condition `until` that ends a run, and new defaults for the context. */
export interface ChoreographyOptions extends Omit<z.input<Context>, "listeners" | "agents"> {
  listeners?: ListenerInCode[];
  agents?: Member[];
  until?: ConditionInCode;
  name?: string;
  description?: string;
}

/** Returns a graph without a fixed plan. Events wake listeners, and the results of listeners become new events. */
export function choreography(options: ChoreographyOptions = {}) {
  const { listeners, agents = [], until, name = "choreography", description, ...defaults } = options;
  const code: Code = new Map([...testers, ...agents].map(asAgent).map((agent) => [agent.name, agent]));
  const conditions: Conditions = new Map();
  const own = listenersOf(listeners ?? testListeners, code, conditions);
  const ownUntil = until ? conditionToData(until, "until", conditions) : null;
  const context = contextFor(defaults);
  return listenerGraph({
    ...{ name, description, state: State, input: Input, output: Output, context, code, conditions, judges: true },
    ...{ inputOf, emissionsOf, shapeOf: choiceOf, factsOf: latestOf },
    plan: ({ start, until: sent, task }, { listeners: given, agents = [], maxEvents, maxDepth }) => {
      const all = given ? toListeners(given) : own;
      const { type = given || listeners ? "START" : startTesting, payload = task, correlationId } = start;
      return {
        ...{ listeners: all, agents, until: sent ?? ownUntil, bounds: { maxEvents, maxDepth } },
        ...{ start: [{ type, payload }], correlationId, warnings: waitingInVain(all, type), status: "running" },
      };
    },
    conclude,
  });
}

/** Returns the input of a listener: the event or events that woke it, and the chain of events that led to them. */
function inputOf({ seesChain }: Listener, { by }: Wake, { events }: ChoreographyValues): unknown {
  const causes = by.map((seq) => events[seq - 1]).filter((event) => event !== undefined);
  const [first, ...others] = causes.map(({ type, from, payload, correlationId }) => ({ type, from, payload, correlationId }));
  const input = others.length === 0 ? { ...first } : { events: [first, ...others] };
  const [cause] = causes;
  if (!seesChain || !cause) return input;
  return {
    ...input,
    before: chainOf(cause, events)
      .slice(0, -1)
      .map(({ type, from, payload }) => ({ type, from, payload })),
  };
}

/** Returns the newest event of each type and the number of events of that type, for the condition `until`. */
function latestOf({ events }: ChoreographyValues): Record<string, unknown> {
  const byType = Object.groupBy(events, ({ type }) => type);
  const latest = Object.entries(byType).map(([type, all = []]) => [type, { count: all.length, payload: all.at(-1)?.payload }]);
  return { events: Object.fromEntries(latest) };
}

function conclude({ events, listeners, looks, failed, stopped, spoken }: ChoreographyValues) {
  const last = events.at(-1);
  const heard = heardBy(listeners);
  return {
    status: stopped ?? "quiescent",
    output: last?.payload ?? null,
    unheard: [...new Set(events.map(({ type }) => type))].filter((type) => !heard.has(type)),
    exhausted: listeners.map(({ name }) => name).filter((name) => looks[name]?.isExhausted),
    errors: Object.fromEntries(failed.map(({ listener, error = "" }) => [listener, error])),
    messages: closingMessages({ spoken, events }, asText(last?.payload ?? null)),
  };
}

export const graph = choreography();
