import { type LangGraphRunnableConfig, StateSchema } from "@langchain/langgraph";
import {
  agent,
  answerWith,
  asAgent,
  asText,
  type Code,
  type DoingInCode,
  type FailedItem,
  Material,
  type Member,
  patternContext,
  reportFailedItems,
  requireAgent,
  stepContext,
  taskInput,
  taskOf,
  tierOf,
  toData,
  type WorkflowValues,
  workflow,
  workflowState,
} from "ensemble/patterns";
import { z } from "zod";
import { Gathered, gather, Join, missingOf, needed, onlyOf, Task, Tasks, timesOf, toSteps, usualTasks } from "./fan-out/tasks.ts";

const manyTasks = 6;
const writer = agent({
  name: "writer",
  role: "an editor who brings results together",
  instructions: "Write one answer to the task from the results. Name what is missing. Answer with the text only.",
});

const OwnTasks = Tasks.nullable().default(null);
const OwnJoin = Join.nullable().default(null);
const Only = z.array(z.string()).min(1).nullable().default(null);
const Input = taskInput({
  input: Material.default(null).describe("Input of every task without its own input. Default: the task of the run"),
  tasks: OwnTasks.describe("Tasks of this run, instead of those of the context"),
  join: OwnJoin.describe("When this run continues, instead of the setting in the context"),
  only: Only.describe("Names of the only tasks to do. Default: all"),
});

const State = new StateSchema({
  ...workflowState,
  tasks: OwnTasks.describe("Tasks that the caller sent"),
  join: OwnJoin.describe("When the run continues, as the caller sent it"),
  only: Only.describe("Names of the only tasks to do, as the caller sent them"),
  enough: z.number().int().nullable().default(null).describe("How many tasks must succeed. Null if the run waits for all tasks"),
  required: z.array(z.string()).default([]).describe("Tasks without which the run fails"),
  outputs: z.record(z.string(), Gathered).default({}).describe("Outcome of each task"),
  missing: z.array(z.string()).default([]).describe("Tasks without a result"),
  answer: z.string().nullable().default(null).describe("One text from all results"),
  wallMs: z.number().default(0).describe("Milliseconds from the first start to the last end"),
  speedup: z.number().nullable().default(null).describe("Sum of all durations, divided by the longest"),
  warnings: z.array(z.string()).default([]).describe("Advice on the number of tasks"),
});
const { outputs, missing, answer, wallMs, speedup, warnings, ledger, metrics, messages } = State.fields;
const Output = new StateSchema({ outputs, missing, answer, wallMs, speedup, warnings, ledger, metrics, messages });

const shape = {
  tasks: Tasks.optional().describe("Tasks of runs that send none. Default: facts, risks, ideas"),
  join: Join.default("all"),
  merge: z.enum(["byName", "synthesis"]).default("synthesis").describe("Whether the answer lists the results or a model writes one text"),
  onFailures: z.enum(["ask", "partial"]).default("ask").describe("After too many failures: ask a person, or continue with partial results"),
  ...stepContext,
};
const contextFor = (defaults: object) => patternContext(shape, { limits: { parallel: 10 }, ...defaults });
type Context = z.output<ReturnType<typeof contextFor>>;
type Values = WorkflowValues & typeof State.State;

/**
 * The options of `fanOut`: the tasks, the agents that tasks name, and defaults for the context of a run. Tasks may contain functions and
 * agents.
 */
export interface FanOutOptions extends Omit<z.input<ReturnType<typeof contextFor>>, "tasks" | "agents"> {
  tasks?: (Omit<z.input<typeof Task>, "do"> & { do: DoingInCode })[];
  agents?: Member[];
  name?: string;
  description?: string;
}

/** Returns a graph that does several tasks in parallel and combines their results. */
export function fanOut({ tasks, agents = [], name = "fan-out", description, ...defaults }: FanOutOptions = {}) {
  const code: Code = new Map(agents.map(asAgent).map((agent) => [agent.name, agent]));
  const own = tasks?.map((task) => ({ ...Task.parse({ ...task, do: { task: "-" } }), do: toData(task.do, task.name, code) }));
  return workflow({
    ...{ name, description, state: State, input: Input, output: Output, context: contextFor(defaults), code, conditions: new Map() },
    plan: ({ tasks: sent, join, only }, context) => {
      const all = onlyOf(sent ?? context.tasks ?? own ?? usualTasks, only);
      const warnings = all.length > manyTasks ? [`${all.length} tasks are many: three to six are easiest to bring together.`] : [];
      const required = all.filter((task) => task.required).map((task) => task.name);
      const enough = needed(join ?? context.join) ?? null;
      return { steps: toSteps(all), agents: context.agents ?? [], required, enough, warnings, outputs: {}, missing: [], answer: null };
    },
    mostFailures: (_, { limits }) => limits.failures,
    enough: (values) => (values as Values).enough ?? undefined,
    conclude,
  });
}

/**
 * Combines the results of the tasks. Throws if a required task failed or too few tasks succeeded, unless a person or the context has
 * accepted the partial results.
 */
async function conclude(values: Values, context: Context, config: LangGraphRunnableConfig) {
  const { required, results, enough, ledger: earlier } = values;
  const [outputs, missing] = [gather(values), missingOf(values)];
  const lacking =
    enough === null ? required.filter((id) => missing.includes(id)) : missing.length > values.steps.length - enough ? missing : [];
  if (lacking.length > 0 && !values.accepted) {
    const errors = lacking.map((id) => `"${id}" failed: ${outputs[id]?.error}`);
    throw new Error(`${errors.join(" ")} Done: ${values.order.join(", ") || "nothing"}.`);
  }
  if (enough === null || lacking.length > 0) reportFailedItems(config, failedTasks(values));
  const update = { outputs, missing, ...timesOf(results) };
  const done = Object.fromEntries(values.order.map((id) => [id, results[id]?.output]));
  if (context.merge === "byName") {
    const text = values.steps
      .map(({ id }) => `${id}: ${asText(outputs[id]?.success ? outputs[id].output : outputs[id]?.error)}`)
      .join("\n");
    return { ...update, messages: answerWith(text) };
  }
  const errand = { task: `Answer this task from the results: ${taskOf(values)}`, input: { results: done, missing }, quiet: false, earlier };
  const { result, message, ledger } = await requireAgent(
    { ...tierOf(context, "judge"), ...errand, agent: writer, pattern: "fan-out" },
    config,
  );
  return { ...update, answer: result, ledger, messages: answerWith(result, message) };
}

/** Returns the tasks that failed for good, each with the input of a run that does only this task. */
function failedTasks({ results, task, input, tasks }: Values): FailedItem[] {
  const failed = Object.entries(results).filter(([, { status }]) => status === "failed" || status === "timeout");
  return failed.map(([id, { error, tries }]) => ({
    ...{ kind: "task", item: id, error, attempts: tries },
    input: { task, input, tasks, only: [id] },
  }));
}

export const graph = fanOut();
