import { StateSchema } from "@langchain/langgraph";
import {
  answerWith,
  asAgent,
  asText,
  type Code,
  type Conditions,
  Material,
  type Member,
  outputOf,
  patternContext,
  StepResult,
  stepContext,
  stoppedAt,
  taskInput,
  type WorkflowValues,
  workflow,
  workflowState,
} from "ensemble/patterns";
import { z } from "zod";
import { type StageInCode, Stages, stagesOf, toSteps, usualStages } from "./pipeline/stages.ts";

const OwnStages = Stages.nullable().default(null);
const Input = taskInput({
  input: Material.default(null).describe("Material for the first stage. Default: the task"),
  stages: OwnStages.describe("Stages of this run, instead of those of the context"),
});

const State = new StateSchema({
  ...workflowState,
  stages: OwnStages.describe("Stages that the caller sent"),
  status: z
    .enum(["running", "completed", "stopped"])
    .default("running")
    .describe("Whether all stages have ended, or one of them stopped the run"),
  output: z.unknown().default(null).describe("Output of the last stage that ran"),
  stoppedAt: z.string().nullable().default(null).describe("Stage that stopped the run"),
  error: z.string().nullable().default(null).describe("Error of that stage"),
  warnings: z.array(z.string()).default([]).describe("Failures that did not stop the run, and paths without a value"),
  outcomes: z.record(z.string(), StepResult).default({}).describe("Outcome of each stage"),
});
const { status, output, outcomes, stoppedAt: stopped, error, warnings, path, ledger, metrics, messages } = State.fields;
const Output = new StateSchema({ status, output, outcomes, stoppedAt: stopped, error, warnings, path, ledger, metrics, messages });

const shape = {
  stages: Stages.optional().describe("Stages of runs that send none. Default: outline, draft, polish"),
  ...stepContext,
};
const contextFor = (defaults: object) => patternContext(shape, defaults);
type Context = ReturnType<typeof contextFor>;

/**
 * The options of `pipeline`: the stages, the agents that stages name, and defaults for the context of a run. Stages may contain functions
 * and agents.
 */
export interface PipelineOptions extends Omit<z.input<Context>, "stages" | "agents"> {
  stages?: StageInCode[];
  agents?: Member[];
  name?: string;
  description?: string;
}

/** Returns a graph that runs stages one after another. Each stage gets the output of the previous one. */
export function pipeline({ stages, agents = [], name = "pipeline", description, ...defaults }: PipelineOptions = {}) {
  const code: Code = new Map(agents.map(asAgent).map((agent) => [agent.name, agent]));
  const conditions: Conditions = new Map();
  const own = stages ? stagesOf(stages, code, conditions) : usualStages;
  const context = contextFor(defaults);
  return workflow({
    ...{ name, description, state: State, input: Input, output: Output, context, code, conditions, judges: true },
    plan: ({ stages: sent }, given) => ({
      ...{ steps: toSteps(sent ?? given.stages ?? own), agents: given.agents ?? [] },
      ...{ status: "running", output: null, stoppedAt: null, error: null, warnings: [], outcomes: {} },
    }),
    conclude,
  });
}

/** Ends the run. If a stage stopped the run, the later stages are listed as not reached. */
function conclude(state: WorkflowValues) {
  const { steps, results, path, spoken } = state;
  const stages = steps.filter(({ gate }) => !gate);
  const last = stoppedAt(state);
  const error = last ? (results[last.id]?.error ?? null) : null;
  const before = last ? stages[stages.indexOf(last) - 1] : steps.at(-1);
  const output = before ? outputOf(before.id, state) : null;
  const skipped = {
    status: "skipped",
    output: null,
    error: `Not reached: "${last?.id}" failed.`,
    tries: 0,
    startedAt: null,
    elapsedMs: 0,
    isOver: true,
  };
  const text = last ? `Stopped at "${last.id}": ${error}` : asText(output);
  return {
    status: last ? "stopped" : "completed",
    output,
    stoppedAt: last?.id ?? null,
    error,
    warnings: [
      ...warningsOf(stages, results),
      ...path.flatMap(({ step, missing }) => missing.map((one) => `${step}: there is no "${one}".`)),
    ],
    outcomes: Object.fromEntries(stages.map(({ id }) => [id, results[id] ?? skipped])),
    messages: answerWith(
      text,
      spoken.find((message) => message.text === text),
    ),
  };
}

function warningsOf(stages: WorkflowValues["steps"], results: WorkflowValues["results"]): string[] {
  return stages.flatMap(({ id, onFailure }) => {
    const { handled, status, error } = results[id] ?? {};
    if (handled !== undefined) return [`${id}: ${handled}`];
    return onFailure === "continue" && (status === "failed" || status === "timeout") ? [`${id}: ${error}`] : [];
  });
}

export const graph = pipeline();
