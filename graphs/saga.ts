import { type LangGraphRunnableConfig, StateSchema } from "@langchain/langgraph";
import {
  answerWith,
  asAgent,
  asText,
  type Code,
  type CompensatedValues,
  compensations,
  type FailedItem,
  inputOf,
  Material,
  type Member,
  outputOf,
  patternContext,
  reportFailedItems,
  type Step,
  StepResult,
  stepContext,
  stoppedAt,
  taskInput,
  type WorkflowValues,
  workflow,
  workflowState,
} from "ensemble/patterns";
import { z } from "zod";
import { inCode, plannedOf, type StepInCode, Steps, toSteps, usualSteps } from "./saga/steps.ts";

const OwnSteps = Steps.nullable().default(null);
const Undo = z
  .boolean()
  .default(false)
  .describe("Undoes the completed steps of the run before this one on the thread, which was cancelled");
const UndoOnly = z
  .object({
    step: z.string().describe("Name of the step"),
    input: z.unknown().default(null).describe("Input that the step had"),
    output: z.unknown().default(null).describe("Output that the step had"),
  })
  .nullable()
  .default(null)
  .describe("Undoes only this step, which an earlier run has done");
const Input = taskInput(
  {
    input: Material.default(null).describe("Input of the first step. Default: the task"),
    saga: OwnSteps.describe("Steps of this run, instead of those of the context"),
    undo: Undo,
    undoOnly: UndoOnly,
  },
  ({ undo, undoOnly }) => undo === true || (undoOnly ?? null) !== null,
);

const State = new StateSchema({
  ...workflowState,
  saga: OwnSteps.describe("Steps that the caller sent"),
  undo: Undo,
  undoOnly: UndoOnly,
  compensations,
  status: z
    .enum(["running", "completed", "compensated", "compensation_failed", "incomplete"])
    .default("running")
    .describe("How the saga ended. Incomplete: a step after the pivot failed for good"),
  output: z.unknown().default(null).describe("Output of the last step"),
  outcomes: z.record(z.string(), StepResult).default({}).describe("Outcome of each step that was begun"),
  failedAt: z.string().nullable().default(null).describe("Step that failed"),
  error: z.string().nullable().default(null).describe("Error of that step"),
});
const { status, output, outcomes, failedAt, error, ledger, metrics, messages } = State.fields;
const Output = new StateSchema({ status, output, outcomes, failedAt, error, compensations, ledger, metrics, messages });

const shape = { saga: Steps.optional().describe("Steps of runs that send none. Default: prepare, apply, confirm"), ...stepContext };
const contextFor = (defaults: object) => patternContext(shape, defaults);
type ContextInput = z.input<ReturnType<typeof contextFor>>;
/** The options of `saga`: the steps, the agents that the steps name, and defaults for the context of a run. */
export interface SagaOptions extends Omit<ContextInput, "saga" | "agents"> {
  steps?: StepInCode[];
  agents?: Member[];
  name?: string;
  description?: string;
}

/** Returns a graph that does steps in order. If a step fails for good, the completed steps are undone, the last one first. */
export function saga({ steps, agents = [], name = "saga", description, ...defaults }: SagaOptions = {}) {
  const code: Code = new Map(agents.map(asAgent).map((agent) => [agent.name, agent]));
  const own = steps?.map((step) => inCode(step, code));
  return workflow({
    ...{ name, description, state: State, input: Input, output: Output, context: contextFor(defaults), code, conditions: new Map() },
    compensates: true,
    plan: ({ saga: sent, undoOnly }, context) => ({
      ...plannedOf(toSteps(sent ?? context.saga ?? own ?? usualSteps), undoOnly),
      agents: context.agents ?? [],
      ...{ status: "running", output: null, outcomes: {}, failedAt: null, error: null },
    }),
    conclude: (values, _, config) => conclude(values, config),
  });
}

/** Ends the run. The status says whether all steps were done, and if not, whether the completed ones were undone. */
function conclude(values: WorkflowValues & typeof State.State, config: LangGraphRunnableConfig) {
  reportFailedItems(config, failedCompensations(values));
  const { steps, results, compensations } = values;
  const failed = stoppedAt(values);
  const error = failed ? (results[failed.id]?.error ?? null) : null;
  const notUndone = compensations.filter(({ outcome }) => outcome === "failed").map(({ step }) => step);
  const status = statusOf(values, failed, notUndone);
  const output = status === "completed" ? outputOf(steps.at(-1)?.id ?? "", values) : null;
  const begun = values.undoOnly ? `"${values.undoOnly.step}" was to be undone.` : "A person stopped the saga.";
  const reason = failed ? `"${failed.id}" failed: ${error}` : begun;
  const texts = {
    completed: asText(output),
    compensated: `${reason} What was done before was undone.`,
    compensation_failed: `${reason} These steps could not be undone: ${notUndone.join(", ")}.`,
    incomplete: `${reason} Nothing was undone, because the pivot was passed.`,
  };
  return { status, output, outcomes: results, failedAt: failed?.id ?? null, error, messages: answerWith(texts[status]) };
}

function statusOf({ steps, results, compensations }: CompensatedValues, failed: Step | undefined, notUndone: string[]) {
  if (notUndone.length > 0) return "compensation_failed" as const;
  if (!failed && compensations.length === 0) return "completed" as const;
  const hasPassedPivot = steps.some(({ id, pivot }) => pivot && results[id]?.status === "success");
  return hasPassedPivot ? ("incomplete" as const) : ("compensated" as const);
}

/** Returns the compensations that failed for good, each with the input of a run that does only this compensation. */
function failedCompensations(values: WorkflowValues & typeof State.State): FailedItem[] {
  const { steps, results, compensations, task, saga } = values;
  const failed = compensations.filter(({ outcome }) => outcome === "failed");
  return failed.map(({ step: id, error, tries }) => {
    const step = steps.find((one) => one.id === id);
    const undoOnly = { step: id, input: step ? inputOf(step, values) : null, output: results[id]?.output ?? null };
    return { kind: "compensation", item: id, error, attempts: tries, input: { task, saga, undoOnly } };
  });
}

export const graph = saga();
