import { StateSchema } from "@langchain/langgraph";
import {
  AllowedHosts,
  AskTimeout,
  asAgent,
  asText,
  boardState,
  type ChoreographyValues,
  type Code,
  Condition,
  type ConditionInCode,
  type Conditions,
  choreographyState,
  closed,
  closingMessages,
  conditionToData,
  keyOf,
  listenerGraph,
  type Member,
  patternContext,
  Roster,
  taskInput,
} from "ensemble/patterns";
import { z } from "zod";
import { analysts, Key, type SourceInCode, Sources, sourcesOf, toListeners, usualSources } from "./blackboard/sources.ts";
import { Change, emissionsOf, historyOf, inputOf, refusedIn, shapeOf } from "./blackboard/writes.ts";

export { withConfidence } from "./blackboard/writes.ts";

const writesBetweenJudgements = 3;

const FirstBoard = z.record(Key, z.unknown()).default({}).describe("First values of the board. The task is always on it, under `task`.");
const WithTask = taskInput({ board: FirstBoard });
/**
 * The schema of the input: a task, a board, or both. LangGraph also validates `command.update` with this schema, so a board without a task
 * must be allowed.
 */
const Input = closed(WithTask.shape, (given) => {
  if (Object.keys(Object(Object(given).board)).length > 0) return [];
  const issues = WithTask.safeParse(given).error?.issues ?? [];
  return issues.filter(({ code, path }) => code === "custom" && path[0] === "task").map(({ message }) => ({ path: ["task"], message }));
});

const State = new StateSchema({
  ...choreographyState,
  ...boardState,
  status: z.enum(["running", "solved", "exhausted", "limit", "failures"]).default("running").describe("Why the run ended"),
  output: z.unknown().default(null).describe("Value that was written last"),
  history: z.record(z.string(), z.array(Change)).default({}).describe("All values of each key"),
  refused: z
    .array(z.object({ source: z.string().describe("Source that wrote"), key: z.string().describe("Key that the source may not write") }))
    .default([])
    .describe("Refused writes to keys that the source may not write"),
  exhausted: z.array(z.string()).default([]).describe("Sources that were not woken again because of `maxFires`"),
  errors: z.record(z.string(), z.string()).default({}).describe("Last error of each source that failed"),
});
const { status, output, board, history, settlements, refused, exhausted, errors, events, ledger, metrics, messages } = State.fields;
const Output = new StateSchema({
  status,
  output,
  board,
  history,
  settlements,
  refused,
  exhausted,
  errors,
  events,
  ledger,
  metrics,
  messages,
});

const shape = {
  sources: Sources.optional().describe("Sources, each with the keys that wake it. Default: extractor, analyst, skeptic, writer"),
  agents: Roster.optional().describe("Agents to which sources refer by name"),
  goalMet: Condition.optional().describe(
    "Condition that ends the run. It sees `board` and `task`. A judge is asked every three writes, and at the end.",
  ),
  control: z
    .enum(["all", "priority", "judge"])
    .default("all")
    .describe("Which source works if several are woken: all at once, the one with the highest priority, or the one that the judge names"),
  conflicts: z
    .enum(["confidence", "arbitration", "last"])
    .default("confidence")
    .describe(
      "Which of several values for one key is kept: the one with the highest confidence, the one that the judge chooses, or the last one",
    ),
  maxEvents: z.number().int().min(1).max(1_000).default(200).describe("Number of events after which no source is woken any more"),
  maxDepth: z.number().int().min(1).max(1_000).default(20).describe("Longest causal chain"),
  onFailures: z.enum(["ask", "partial"]).default("ask").describe("After too many failures: ask a person, or end with the result so far"),
  askTimeoutSeconds: AskTimeout,
  allowedHosts: AllowedHosts,
};
const contextFor = (defaults: object) => patternContext(shape, defaults);
type Context = ReturnType<typeof contextFor>;

/** The options of `blackboard`: sources, agents, the condition `goalMet` that ends a run, and new defaults for the context. */
export interface BlackboardOptions extends Omit<z.input<Context>, "sources" | "agents" | "goalMet"> {
  sources?: SourceInCode[];
  agents?: Member[];
  goalMet?: ConditionInCode;
  name?: string;
  description?: string;
}

const isAnswered = { path: "board.answer", exists: true };

/** Returns a graph in which sources share a board. A change of a key wakes the sources that read the key, until the goal is met. */
export function blackboard(options: BlackboardOptions = {}) {
  const { sources, agents = [], goalMet, name = "blackboard", description, ...defaults } = options;
  const code: Code = new Map([...analysts, ...agents].map(asAgent).map((agent) => [agent.name, agent]));
  const conditions: Conditions = new Map();
  const own = sourcesOf(sources ?? usualSources, code, conditions);
  const ownGoal = goalMet ? conditionToData(goalMet, "goalMet", conditions) : sources ? null : isAnswered;
  const context = contextFor(defaults);
  return listenerGraph({
    ...{ name, description, state: State, input: Input, output: Output, context, code, conditions, judges: true, inputOf, shapeOf },
    emissionsOf: (listener, result) => emissionsOf(listener, result, code),
    controlOf: (given) => (given as z.output<Context>).control,
    ruleOf: (given) => (given as z.output<Context>).conflicts,
    isJudgeDue,
    plan: ({ board, task }, { sources: sent, agents = [], goalMet: goal, maxEvents, maxDepth }) => ({
      ...{ listeners: sent ? toListeners(sent) : own, agents, until: goal ?? (sent ? null : ownGoal), bounds: { maxEvents, maxDepth } },
      ...{ board: { ...(task && { task }), ...board }, status: "running" },
    }),
    conclude,
  });
}

/**
 * Tells whether to ask the judge again whether the goal is met. This is due if sources have written at least three values since the judge
 * was last asked.
 */
function isJudgeDue({ events, answers }: ChoreographyValues): boolean {
  const asked = Object.keys(answers).map((place) => Number(/^until@(\d+)$/.exec(place)?.[1] ?? 0));
  const since = events.slice(Math.max(0, ...asked)).filter(({ type, from }) => keyOf(type) !== undefined && from !== "start");
  return since.length >= writesBetweenJudgements;
}

function conclude({ events, listeners, looks, failed, stopped, spoken }: ChoreographyValues) {
  const last = events.findLast(({ type }) => keyOf(type) !== undefined);
  return {
    status: stopped === "until" ? "solved" : (stopped ?? "exhausted"),
    output: last?.payload ?? null,
    history: historyOf(events),
    refused: refusedIn(events),
    exhausted: listeners.map(({ name }) => name).filter((name) => looks[name]?.isExhausted),
    errors: Object.fromEntries(failed.map(({ listener, error = "" }) => [listener, error])),
    messages: closingMessages({ spoken, events }, asText(last?.payload ?? null)),
  };
}

export const graph = blackboard();
