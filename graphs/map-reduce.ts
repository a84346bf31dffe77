import { type LangGraphRunnableConfig, StateSchema } from "@langchain/langgraph";
import {
  AllowedDirectories,
  answerWith,
  asAgent,
  asText,
  type Code,
  Doing,
  type DoingInCode,
  type FailedItem,
  type Member,
  patternContext,
  reportFailedItems,
  stepContext,
  taskInput,
  taskOf,
  toData,
  type WorkflowValues,
  workflow,
  workflowState,
} from "ensemble/patterns";
import { z } from "zod";
import { ItemsFrom, itemsIn, readItems } from "./map-reduce/items.ts";
import { Compute, compute, computeFirst, type Partition, partitionId, partitionsOf, planSteps, Reduce } from "./map-reduce/plan.ts";

const mostInInput = 20_000;
const optional = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().default(null);

const Input = taskInput({
  items: optional(z.array(z.unknown()).max(mostInInput)).describe("Items to work on. Default: the lines of the task"),
  itemsFrom: optional(ItemsFrom).describe("Where to read the items, if they are not in the input"),
  map: optional(Doing).describe("Work on each partition, instead of the work in the context"),
  reduce: optional(Reduce).describe("How outputs are joined, instead of the setting in the context"),
  partitions: optional(z.number().int().min(1).max(1_000)).describe("Number of partitions"),
  partitionSize: optional(z.number().int().min(1)).describe("Largest size of a partition, if their number is not given"),
});

const Part = z.object({
  partition: z.number().int().describe("Number of the partition"),
  from: z.number().int().describe("First item"),
  to: z.number().int().describe("Item after the last one"),
  status: z.string().describe("Outcome of the partition"),
  error: z.string().nullable().describe("Why it failed"),
});

const State = new StateSchema({
  ...workflowState,
  ...Input.shape,
  task: workflowState.task,
  messages: workflowState.messages,
  parts: z
    .array(z.unknown() as unknown as z.ZodType<Partition>)
    .default([])
    .describe("Partitions, as planned"),
  result: z.unknown().default(null).describe("Joined output of all partitions"),
  outcomes: z.array(Part).default([]).describe("Outcome of each partition"),
  gaps: z.array(Part).default([]).describe("Partitions without an output, with their items"),
  levels: z.number().int().default(0).describe("Levels of the tree in which outputs were joined"),
});
const { result, outcomes, gaps, levels, ledger, metrics, messages } = State.fields;
const Output = new StateSchema({ result, outcomes, gaps, levels, ledger, metrics, messages });

const shape = {
  map: Doing.default({ task: "Summarise these items in a few words each." }).describe("Work on each partition"),
  reduce: Reduce.default({ task: "Bring these summaries together in one short text." }).describe(
    "How the outputs of partitions are joined",
  ),
  fanIn: z.number().int().min(2).max(64).default(8).describe("Number of outputs that one step joins"),
  errorTolerance: z.number().min(0).max(1).default(0).describe("Share of partitions that may fail"),
  timeoutSeconds: z.number().positive().max(86_400).default(60).describe("Timeout of one try of a partition or of a join"),
  retries: z.number().int().min(0).max(10).default(2).describe("How often a failed partition or join is tried again"),
  onFailures: z
    .enum(["ask", "partial"])
    .default("ask")
    .describe("After too many failed partitions: ask a person, or continue without their outputs"),
  allowedDirectories: AllowedDirectories,
  ...stepContext,
};
const usual = {
  map: { task: "Summarise these items in a few words each." },
  reduce: { task: "Bring these summaries together in one short text." },
};
const contextFor = (defaults: object) => patternContext(shape, defaults);
type Context = z.output<ReturnType<typeof contextFor>>;
type Values = WorkflowValues & typeof State.State;

/**
 * The options of `mapReduce`: the work on a partition, the work that joins outputs, and defaults for the context of a run. Work is JSON, a
 * function or an agent.
 */
export interface MapReduceOptions extends Omit<z.input<ReturnType<typeof contextFor>>, "map" | "reduce" | "agents"> {
  map?: DoingInCode;
  reduce?: DoingInCode | z.input<typeof Compute>;
  agents?: Member[];
  name?: string;
  description?: string;
}

/** Returns a graph that divides items into partitions, works on each partition, and joins the outputs in a tree. */
export function mapReduce({ map, reduce, agents = [], name = "map-reduce", description, ...defaults }: MapReduceOptions = {}) {
  const code: Code = new Map(agents.map(asAgent).map((agent) => [agent.name, agent]));
  code.set("compute", compute).set("computeFirst", computeFirst);
  const own = {
    map: map && toData(map, "map", code),
    reduce: reduce && ("compute" in reduce ? Compute.parse(reduce) : toData(reduce as DoingInCode, "reduce", code)),
  };
  return workflow({
    ...{ name, description, state: State, input: Input, output: Output, context: contextFor(defaults), code, conditions: new Map() },
    planner: "partition",
    plan: (values, context, config) => partition(values, context, config, own),
    mostFailures: (values, context) => Math.floor((context as unknown as Context).errorTolerance * (values as Values).parts.length) + 1,
    conclude,
  });
}

type Own = { map?: ReturnType<typeof toData> | undefined; reduce?: ReturnType<typeof toData> | z.infer<typeof Compute> | undefined };

/** Reads the items, and plans the steps: one step for each partition, and a tree of steps that joins their outputs. */
async function partition(values: Values, context: Context, config: LangGraphRunnableConfig, own: Own) {
  const { itemsFrom, partitions, partitionSize } = values;
  const items = values.items ?? (itemsFrom ? await readItems(itemsFrom, context, config) : itemsIn(taskOf(values)));
  const parts = partitionsOf(items.length, { partitions, partitionSize });
  const { fanIn, timeoutSeconds, retries, agents = [] } = context;
  const work = {
    map: values.map ?? context.map ?? own.map ?? usual.map,
    reduce: values.reduce ?? context.reduce ?? own.reduce ?? usual.reduce,
  };
  const planned = planSteps(items, parts, { ...work, partitions, partitionSize, fanIn, timeoutSeconds, retries });
  return { ...planned, agents, parts, items: null, result: null, outcomes: [], gaps: [] };
}

/** Ends the run. Throws if the outputs could not be joined. */
function conclude(values: Values, _: Context, config: LangGraphRunnableConfig) {
  const { steps, results, parts, spoken } = values;
  const last = steps.at(-1);
  const outcomes = parts.map(({ index, from, to }) => {
    const { status = "skipped", error = "No more work was begun." } = results[partitionId(index)] ?? {};
    return { partition: index, from, to, status: String(status), error };
  });
  const gaps = outcomes.filter(({ status }) => status !== "success");
  const failed = steps.find(({ id, collects }) => collects && results[id] && results[id].status !== "success");
  const joined = last && results[last.id];
  if (failed && gaps.length < parts.length) throw new Error(`"${failed.id}" failed: ${results[failed.id]?.error}`);
  reportFailedItems(config, failedPartitions(values));
  const result = joined?.status === "success" ? joined.output : null;
  const note =
    gaps.length === 0 ? "" : `\n\nGaps: ${gaps.map(({ from, to, error }) => `items ${from} to ${to - 1} (${error})`).join(", ")}`;
  const text = `${parts.length === 0 ? "There were no items." : asText(result ?? "There is no result.")}${note}`;
  return {
    result,
    outcomes,
    gaps,
    messages: answerWith(
      text,
      spoken.find((message) => message.text === text),
    ),
  };
}

/** Returns the partitions that failed for good, each with the input of a run that works on its items. */
function failedPartitions({ steps, results, parts, task, map, reduce }: Values): FailedItem[] {
  return parts.flatMap(({ index }): FailedItem[] => {
    const id = partitionId(index);
    const { status, error = null, tries = 1 } = results[id] ?? {};
    if (status !== "failed" && status !== "timeout") return [];
    const { items } = Object(steps.find((step) => step.id === id)?.input);
    return [{ kind: "partition", item: id, error, attempts: tries, input: { task, items, map, reduce, partitions: 1 } }];
  });
}

export const graph = mapReduce();
