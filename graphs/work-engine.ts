import { type LangGraphRunnableConfig, StateSchema } from "@langchain/langgraph";
import {
  answerWith,
  asAgent,
  asText,
  type Code,
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
import { Contract, resolve, Stage, usualContracts, usualStages } from "./work-engine/contracts.ts";
import { gateId, ownCode, ownConditions, stageId, toSteps } from "./work-engine/plan.ts";
import { changeItem, failureRates, itemKey, lessonsOf, noteHealth } from "./work-engine/records.ts";

const Slug = z.string().regex(/^[\w-]{1,100}$/, "letters, digits, - and _ only");
const Stages = z.array(Stage).min(1).max(20);
const OwnStages = Stages.nullable().default(null);
const Input = taskInput({
  name: Slug.default("workflow").describe("Name of the workflow. It is part of the names of its work items."),
  project: Slug.default("default").describe("Project to which the work items belong"),
  stages: OwnStages.describe("Stages of this run, instead of those in the context"),
});

const State = new StateSchema({
  ...workflowState,
  name: Slug.default("workflow").describe("Name of the workflow"),
  project: Slug.default("default").describe("Project of the work items"),
  stages: OwnStages.describe("Stages that the caller sent"),
  skills: z.array(z.string()).default([]).describe("Skill of each stage"),
  status: z.enum(["running", "completed", "stopped"]).default("running").describe("Whether every stage passed its gate"),
  output: z.unknown().default(null).describe("Output of the last stage that passed"),
  outcomes: z.array(StepResult).default([]).describe("Outcome of each stage"),
  items: z.array(z.string()).default([]).describe("Keys of the work items in the store"),
  reason: z.string().nullable().default(null).describe("Why the run stopped"),
});
const { status, output, outcomes, skills, items, reason, ledger, metrics, messages } = State.fields;
const Output = new StateSchema({ status, output, outcomes, skills, items, reason, ledger, metrics, messages });

const shape = {
  contracts: z.array(Contract).min(1).optional().describe("Skills that can be used, with their contracts"),
  stages: Stages.optional().describe("Stages of runs that send none. Default: plan, write, check"),
  timeoutSeconds: z.number().positive().max(86_400).default(120).describe("Timeout of one try of a stage or a gate"),
  ...stepContext,
};
const contextFor = (defaults: object) => patternContext(shape, defaults);
type Context = z.output<ReturnType<typeof contextFor>>;
type Values = WorkflowValues & typeof State.State;

/** The options of `workEngine`: the agents that contracts name, and defaults for the context of a run. */
export interface WorkEngineOptions extends Omit<z.input<ReturnType<typeof contextFor>>, "agents"> {
  agents?: Member[];
  name?: string;
  description?: string;
}

/** Returns a graph that finds a skill for each stage by the stage's capability. A gate checks the output of each stage. */
export function workEngine({ agents = [], name = "work-engine", description, ...defaults }: WorkEngineOptions = {}) {
  const code: Code = new Map([...ownCode(), ...agents.map(asAgent).map((agent) => [agent.name, agent] as const)]);
  return workflow({
    ...{ name, description, state: State, input: Input, output: Output, context: contextFor(defaults), code, conditions: ownConditions() },
    plan,
    conclude,
  });
}

/** Finds a skill for each stage, and creates the work items. */
async function plan({ stages: sent, project, name }: Values, context: Context, config: LangGraphRunnableConfig) {
  const { contracts: known = usualContracts, agents = [], timeoutSeconds } = context;
  const stages = sent ?? context.stages ?? usualStages;
  const skills = known.map(({ skill }) => skill);
  const contracts = resolve(stages, known, await failureRates(config, skills));
  const found = await Promise.all(contracts.map(async ({ skill }) => [skill, await lessonsOf(config, skill)] as const));
  const steps = toSteps({ stages, contracts, lessons: Object.fromEntries(found), project, name, timeoutSeconds });
  const items = stages.map((_, index) => itemKey(name, index + 1));
  for (const [index, { goal }] of stages.entries()) {
    const fresh = {
      status: "pending" as const,
      skill: contracts[index]?.skill ?? "",
      goal,
      artifacts: [],
      tests: [],
      findings: [],
      events: [],
    };
    const item = { ...fresh, dependsOn: items.slice(0, index).slice(-1) };
    await changeItem(config, { project, key: items[index] ?? "" }, index === 0 ? { status: "in_progress" } : {}, "planned", item);
  }
  const emptied = { status: "running", output: null, outcomes: [], reason: null };
  return { steps, agents, items, skills: contracts.map(({ skill }) => skill), ...emptied };
}

/**
 * Ends the run. If a stage failed, records the failure in the store here, because a failed stage never reaches the step that records
 * outcomes.
 */
async function conclude(values: Values, _: Context, config: LangGraphRunnableConfig) {
  const { results, skills, items, project, spoken } = values;
  const failed = stoppedAt(values);
  const outcomes = items.map((_, index) => results[stageId(index)]).filter((result) => result !== undefined);
  const isPassed = (index: number) =>
    results[`record ${index + 1}`]?.output !== undefined && Object(results[`record ${index + 1}`]?.output).status === "done";
  const passed = items.map((_, index) => index).filter(isPassed);
  if (failed) {
    const index = items.findIndex((_, at) => stageId(at) === failed.id);
    const key = items[index] ?? "";
    await changeItem(config, { project, key }, { status: "failed" }, `failed: ${results[failed.id]?.error}`);
    await noteHealth(config, skills[index] ?? "", { ok: false, quality: 0, item: `${project}/${key}` });
  }
  const last = passed.at(-1);
  const output = last === undefined ? null : outputOf(stageId(last), values);
  const isComplete = passed.length === items.length;
  const blocked = items.findIndex((_, index) => results[stageId(index)]?.status === "success" && !isPassed(index));
  const verdict = Object(results[gateId(blocked)]?.output).reasons;
  const reason = failed
    ? `${failed.id}: ${results[failed.id]?.error}`
    : isComplete
      ? null
      : `The gate stopped stage ${blocked + 1}: ${[verdict].flat().join(" ")}`;
  const text = isComplete ? asText(output) : `Stopped. ${reason}`;
  const status = isComplete ? "completed" : "stopped";
  return {
    status,
    output,
    outcomes,
    reason,
    messages: answerWith(
      text,
      spoken.find((message) => message.text === text),
    ),
  };
}

export const graph = workEngine();
