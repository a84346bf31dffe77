import { AgentData, type Guard, type Step } from "ensemble/patterns";
import { type CrewAgent, type CrewTask, type Definition, fill } from "./definition.ts";

/** The name of the agent that manages a hierarchical crew. */
export const managerName = "crew_manager";

/** The additional data of a step, for the function that `equipping` returns. */
export interface Equipment {
  output?: Record<string, unknown>;
  guards: Guard[];
  guardRetries: number;
  rpm?: number;
  /** The names of the agents to which the agent of this step can delegate work. */
  coworkers: string[];
  /** True if the step only makes a plan. The agent of such a step has no tools. */
  plans?: boolean;
  /** The manager that does the step with the help of the crew's agents. Undefined if the task's own agent does the step. */
  manager?: { model: string };
}

/** Returns the name of the step in which an agent plans a task. */
export const planOf = (task: string) => `${task} (plan)`;

/** Converts the agents of a crew to the form `AgentData`, and fills the inputs into their texts. */
export const agentsOf = ({ agents }: Definition, inputs: Record<string, unknown>, now: Date): AgentData[] =>
  Object.entries(agents).map(([name, agent]) => {
    const {
      role,
      goal,
      backstory,
      llm,
      tools,
      memory,
      knowledge_sources: sources,
      max_iter: maxRounds,
      max_execution_time: seconds,
    } = agent;
    const today = agent.inject_date ? `The date is ${dateIn(agent.date_format, now)}.` : "";
    const memories = memory ? ["remember", "recall"].filter((tool) => !tools.includes(tool)) : [];
    return AgentData.parse({
      ...{ name, role: fill(role, inputs), goal: fill(goal, inputs), tools: [...tools, ...memories], maxRounds },
      ...{ backstory: [fill(backstory, inputs), today].filter(Boolean).join("\n"), description: fill(goal, inputs) },
      ...{
        ...(llm && { model: llm }),
        ...(sources && { knowledge: sources }),
        errandSeconds: seconds,
        timeoutSeconds: Math.min(seconds, 3_600),
      },
    });
  });

/**
 * Returns the steps of a crew. A task waits for all earlier tasks that are not asynchronous, and for the tasks whose results it gets. A
 * task gets the results of the tasks in its `context`. Without a `context`, it gets the results of earlier tasks.
 */
export function stepsOf(crew: Definition, inputs: Record<string, unknown>): Step[] {
  const names = Object.keys(crew.tasks);
  return Object.entries(crew.tasks).flatMap(([name, task], index) => {
    const before = names.slice(0, index);
    const inOrder = before.filter((other) => !crew.tasks[other]?.async_execution);
    // Without a `context`, a task gets the results of all tasks before it. An asynchronous task gets only the results of earlier tasks that
    // are not asynchronous.
    const material = task.context ?? (task.async_execution ? inOrder : before);
    const needs = [...new Set([...inOrder, ...material])];
    const agent = task.agent === undefined ? undefined : crew.agents[task.agent];
    const isManaged = crew.process === "hierarchical";
    const step: Step = {
      ...{
        id: name,
        do: { agent: isManaged ? managerName : task.agent, task: taskFor(task, inputs) },
        needs,
        retries: agent?.max_retry_limit ?? 0,
      },
      ...{ timeoutSeconds: isManaged ? 86_400 : (agent?.max_execution_time ?? 300), onFailure: "stop" },
      ...(material.length > 0 ? { takes: material } : { input: inputs }),
      ...{ reviewed: task.human_input, speaks: index === names.length - 1 && !task.human_input },
      own: equipmentOf(task, agent, crew),
    };
    return agent?.reasoning && !isManaged ? [planning(step, agent), planned(step)] : [step];
  });
}

const taskFor = ({ description, expected_output: expected }: CrewTask, inputs: Record<string, unknown>) =>
  `${fill(description, inputs)}\n\nExpected result: ${fill(expected, inputs)}`;

function equipmentOf(task: CrewTask, agent: CrewAgent | undefined, crew: Definition): Equipment {
  const { output_json: output, guardrail, guardrails, guardrail_max_retries: guardRetries } = task;
  const all = [...(guardrail === undefined ? [] : [guardrail]), ...guardrails];
  return {
    ...{ output, guardRetries, rpm: agent?.max_rpm },
    guards: all.map((one) => (typeof one === "string" ? { kind: "judge", rule: one, onFail: "retry" } : one)),
    coworkers: agent?.allow_delegation ? Object.keys(crew.agents).filter((other) => other !== task.agent) : [],
    ...(crew.process === "hierarchical" && { manager: { model: crew.manager_llm ?? "" } }),
  };
}

const Plan = {
  type: "object",
  properties: { plan: { type: "string" }, ready: { type: "boolean", description: "Whether the plan is enough to begin" } },
  required: ["plan", "ready"],
};

/**
 * Returns the step in which the agent plans the task. The agent improves its plan until the agent marks the plan as ready, at most
 * `max_reasoning_attempts` times. The task begins even without a ready plan.
 */
function planning(step: Step, { max_reasoning_attempts: attempts, max_rpm: rpm }: CrewAgent): Step {
  const ready: Guard = { kind: "allow", path: "ready", values: [true], onFail: "retry" };
  const own: Equipment = { output: Plan, guards: [ready], guardRetries: attempts - 1, rpm, coworkers: [], plans: true };
  const task = `Plan how to do this task. Do not do it yet.\n\n${step.do.task}`;
  return {
    ...step,
    id: planOf(step.id),
    do: { ...step.do, task },
    retries: 0,
    onFailure: "continue",
    passes: true,
    reviewed: false,
    speaks: false,
    own,
  };
}

/** Returns a task's step, changed so that it waits for the planning step and takes the plan as a further input. */
function planned(step: Step): Step {
  const { takes = [], id, needs } = step;
  return { ...step, input: undefined, needs: [...needs, planOf(id)], takes: [takes, planOf(id)].flat() };
}

/** Formats a date with the common codes of Python's strftime. */
function dateIn(format: string, now: Date): string {
  const part = (options: Intl.DateTimeFormatOptions) => now.toLocaleDateString("en-GB", { ...options, timeZone: "UTC" });
  const two = (value: number) => String(value).padStart(2, "0");
  const codes: Record<string, string> = {
    ...{ "%Y": String(now.getUTCFullYear()), "%m": two(now.getUTCMonth() + 1), "%d": two(now.getUTCDate()), "%H": two(now.getUTCHours()) },
    ...{ "%M": two(now.getUTCMinutes()), "%B": part({ month: "long" }), "%b": part({ month: "short" }), "%A": part({ weekday: "long" }) },
  };
  return format.replace(/%[A-Za-z]/g, (code) => codes[code] ?? code);
}
