import {
  AgentData,
  AllowedHosts,
  AskTimeout,
  answerWith,
  asText,
  patternContext,
  priceOf,
  stoppedAt,
  taskOf,
  type WorkflowValues,
  workflow,
} from "ensemble/patterns";
import type { z } from "zod";
import { type DefinitionInput, parseDefinition, problemsOf, usualCrew } from "./crew/definition.ts";
import { equipping } from "./crew/equip.ts";
import { readCrew } from "./crew/files.ts";
import { crewOf, inputFor, Output, State } from "./crew/state.ts";
import { agentsOf, managerName, planOf, stepsOf } from "./crew/steps.ts";

const contextFor = (defaults: object) => patternContext({ askTimeoutSeconds: AskTimeout, allowedHosts: AllowedHosts }, defaults);
type Context = ReturnType<typeof contextFor>;

/** The options of `crew`: the fields that define a crew in CrewAI, and new defaults for the context of the runs. */
export interface CrewOptions extends Partial<DefinitionInput>, z.input<Context> {
  name?: string;
  description?: string;
}

/** Returns a graph for a crew. The crew's agents do the tasks in order, or a manager divides each task among the agents. */
export function crew({ agents, tasks, process, manager_llm, name = "crew", description, ...defaults }: CrewOptions = {}) {
  const own = agents && tasks ? parseDefinition({ agents, tasks, process, manager_llm }) : usualCrew;
  for (const { path, message } of problemsOf(own)) throw new Error(`${path.join(".")}: ${message}`);
  return workflow({
    ...{ name, description, state: State, input: inputFor(own), output: Output, context: contextFor(defaults) },
    ...{ code: new Map(), conditions: new Map(), reviews: true, equip: equipping(managerName) },
    plan(values, { budget }) {
      const given = crewOf(values, own);
      const task = taskOf(values);
      const inputs = { ...(task && { task }), ...values.inputs };
      const manager = AgentData.parse({ name: managerName, role: "the manager of a crew", errandSeconds: 86_400 });
      const members = agentsOf(given, inputs, new Date());
      const models = [given.manager_llm, ...members.map(({ model }) => model)].filter((model) => model !== undefined);
      const unpriced = budget.dollars === undefined ? undefined : models.find((model) => !priceOf(model, model, budget));
      if (unpriced) throw new Error(`The model "${unpriced}" has no price; give one in budget.prices, or a budget of tokens.`);
      return {
        ...{ task: task || null, agents: [...members, manager], steps: stepsOf(given, inputs), input: inputs },
        ...{ status: "running", raw: "", json: null, tasks_output: [], usage: null, error: null },
      };
    },
    conclude,
  });
}

/** Returns a graph for the crew in a folder. The folder has the files agents.yaml and tasks.yaml in CrewAI's format. */
export const crewFrom = async (folder: string, options: Omit<CrewOptions, keyof DefinitionInput> = {}) =>
  crew({ ...(await readCrew(folder)), ...options });

/** Ends the run with the result of the last task. If the crew stopped early, the remaining tasks are listed as not done. */
function conclude(state: WorkflowValues) {
  const { steps, results, ledger, spoken } = state;
  const plans = new Set(steps.map(({ id }) => planOf(id)));
  const outputs = steps.filter(({ id }) => !plans.has(id)).map((step) => taskOutput(step, results[step.id]));
  const last = stoppedAt(state);
  const { raw = "", json = null } = last ? {} : (outputs.at(-1) ?? {});
  const error = last ? `"${last.id}" failed: ${results[last.id]?.error}` : null;
  const text = error ?? raw;
  const sum = (figure: "inputTokens" | "outputTokens" | "dollars") => ledger.reduce((all, entry) => all + entry[figure], 0);
  const usage = { calls: ledger.length, inputTokens: sum("inputTokens"), outputTokens: sum("outputTokens"), dollars: sum("dollars") };
  const shown = spoken.find((message) => message.text === text);
  return {
    ...{ status: last ? "stopped" : "completed", raw, json, tasks_output: outputs, usage, error },
    messages: answerWith(text, shown),
  };
}

type Steps = WorkflowValues["steps"];

function taskOutput({ id, do: work, own }: Steps[number], result: WorkflowValues["results"][string] | undefined) {
  const { status = "skipped", output = null, error = "Not done: the crew stopped before." } = result ?? {};
  const isJson = Object(own).output !== undefined && status === "success";
  const raw = status === "success" ? asText(output) : "";
  return {
    ...{ name: id, agent: work.agent === managerName ? null : (work.agent ?? null), description: work.task ?? "", status, raw },
    ...{ json: isJson ? output : null, error },
  };
}

export const graph = crew();
