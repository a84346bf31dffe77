import { StateSchema } from "@langchain/langgraph";
import { closed, StepResult, taskInput, workflowState } from "ensemble/patterns";
import { z } from "zod";
import { type Definition, definition, placeholdersIn, problemsOf } from "./definition.ts";

/** Returns the schema of a field that a caller may omit. The value then comes from the crew that the graph was built with. */
const ownOr = <Field extends z.ZodType>(field: Field) =>
  field
    .nullable()
    .default(null)
    .describe(field.description ?? "");

const sent = {
  inputs: z.record(z.string(), z.unknown()).default({}).describe("Values for the placeholders in the texts, such as `{topic}`"),
  agents: ownOr(definition.agents),
  tasks: ownOr(definition.tasks),
  process: ownOr(definition.process),
  manager_llm: ownOr(definition.manager_llm),
};
const Sent = z.object(sent);
type Sent = z.infer<typeof Sent>;

/** Returns the crew of a run. For a field that the caller has not sent, the value comes from the crew that the graph was built with. */
export const crewOf = (given: Omit<Sent, "inputs" | "agents"> & { agents: unknown }, own: Definition): Definition => ({
  agents: (given.agents as Sent["agents"]) ?? own.agents,
  tasks: given.tasks ?? own.tasks,
  process: given.process ?? own.process,
  manager_llm: given.manager_llm ?? own.manager_llm,
});

const Tasked = taskInput({});

/** Returns the schema of the input. It refuses an invalid crew, and an input that lacks a value for a placeholder in the crew's texts. */
export function inputFor(own: Definition) {
  const { shape } = taskInput(sent, () => true);
  return closed(shape, (given) => {
    const { data } = Sent.safeParse(given);
    if (!data) return []; // the input is invalid, and the schemas of its fields report why
    const crew = crewOf(data, own);
    const { task, messages } = given as Record<string, unknown>;
    const known = [...Object.keys(data.inputs), ...(Tasked.safeParse({ task, messages }).success ? ["task"] : [])];
    const missing = placeholdersIn(crew).filter((name) => !known.includes(name));
    return [...problemsOf(crew), ...missing.map(missingInput)];
  });
}

const missingInput = (name: string) =>
  name === "task"
    ? { path: ["task"], message: "give a task, or messages with one of a person" }
    : { path: ["inputs", name], message: `the crew's texts have {${name}}, so give a value for it` };

const TaskOutput = z.object({
  name: z.string().describe("Name of the task"),
  agent: z.string().nullable().describe("Agent of the task. Null if a manager divided it among the agents."),
  description: z.string().describe("Description of the task, with the inputs filled in"),
  status: StepResult.shape.status.describe("Outcome of the task"),
  raw: z.string().describe("Result as text"),
  json: z.unknown().describe("Result as a value, for a task with a schema. Null otherwise."),
  error: z.string().nullable().describe("Why the task failed or was skipped"),
});

const Usage = z.object({
  calls: z.number().int().describe("Calls of models"),
  inputTokens: z.number().int().describe("Input tokens"),
  outputTokens: z.number().int().describe("Output tokens"),
  dollars: z.number().describe("Cost by the price table"),
});

const { agents: _, ...engine } = workflowState;
export const State = new StateSchema({
  ...engine,
  agents: z.unknown().default(null).describe("Agents of the crew"),
  inputs: sent.inputs,
  tasks: sent.tasks,
  process: sent.process,
  manager_llm: sent.manager_llm,
  status: z
    .enum(["running", "completed", "stopped"])
    .default("running")
    .describe("Whether all tasks are done, or one of them stopped the crew"),
  raw: z.string().default("").describe("Result of the last task as text"),
  json: z.unknown().default(null).describe("Result of the last task as a value, if it has a schema"),
  tasks_output: z.array(TaskOutput).default([]).describe("Result of each task, in order"),
  usage: Usage.nullable().default(null).describe("Cost of the run"),
  error: z.string().nullable().default(null).describe("Why the crew stopped"),
});
const { status, raw, json, tasks_output, usage, error, ledger, metrics, messages } = State.fields;
export const Output = new StateSchema({ status, raw, json, tasks_output, usage, error, ledger, metrics, messages });
