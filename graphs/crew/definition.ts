import { AgentData, closed, Guard, JsonSchema, stepName, ToolName } from "ensemble/patterns";
import { z } from "zod";

const mostAgents = 20;
const mostTasks = 30;
const text = z.string().trim().min(1).max(20_000);
const flag = z.boolean().default(false);

/** An agent of a crew. The fields have CrewAI's names. */
const CrewAgent = closed({
  role: text.describe("Role of the agent. `{name}` stands for an input."),
  goal: text.describe("Goal of the agent"),
  backstory: z.string().max(20_000).default("").describe("Background of the agent"),
  llm: z.string().min(1).optional().describe("Model of the agent, as `provider:model`. Default: the model of the context"),
  function_calling_llm: z.string().min(1).optional().describe("Without effect: the model of the agent calls its tools"),
  tools: z.array(ToolName).max(128).default([]).describe("Tools that the agent may use"),
  max_iter: z.number().int().min(1).max(50).default(20).describe("Rounds of tool calls after which the agent must answer"),
  max_rpm: z.number().int().min(1).max(100_000).optional().describe("Model calls of the agent in a minute"),
  max_execution_time: z
    .number()
    .positive()
    .max(86_400)
    .default(300)
    .describe("Timeout of one task in seconds. It includes waits for `max_rpm`."),
  max_retry_limit: z.number().int().min(0).max(10).default(2).describe("How often a failed task is tried again"),
  allow_delegation: flag.describe("Whether the agent can delegate work to its coworkers and ask them questions"),
  reasoning: flag.describe("Whether the agent makes a plan before each task"),
  max_reasoning_attempts: z
    .number()
    .int()
    .min(1)
    .max(10)
    .default(3)
    .describe("How often the agent may plan before the task begins without a ready plan"),
  inject_date: flag.describe("Whether the agent is told the date"),
  date_format: z.string().max(100).default("%Y-%m-%d").describe("Format of the date, with %Y, %m, %d, %B, %b, %A, %H and %M"),
  memory: flag.describe("Whether the agent can remember facts for later runs and recall them"),
  knowledge_sources: AgentData.shape.knowledge.describe(
    "Sources whose passages the agent reads before each task, as an agent's `knowledge`",
  ),
  respect_context_window: z.boolean().default(true).describe("Without effect: long material is always cut"),
  cache: z.boolean().default(true).describe("Without effect: results of tools are not reused"),
  verbose: flag.describe("Without effect: events are always sent"),
});
export type CrewAgent = z.infer<typeof CrewAgent>;

const Guardrail = z.union([text, Guard]);

/** A task of a crew. The fields have CrewAI's names. */
const CrewTask = closed({
  description: text.describe("What is to be done. `{name}` stands for an input."),
  expected_output: text.describe("How the result should look"),
  agent: z.string().optional().describe("Agent that does the task. A manager chooses one itself."),
  context: z.array(z.string()).optional().describe("Tasks whose results this task gets. Default: all tasks before it"),
  output_json: JsonSchema.optional().describe("JSON schema of the result. Default: a text"),
  async_execution: flag.describe("Whether later tasks begin without waiting for this task"),
  human_input: flag.describe("Whether a person must approve the result"),
  guardrail: Guardrail.optional().describe("Check of the result: a rule for a judge in words, or a guard as data"),
  guardrails: z.array(Guardrail).max(20).default([]).describe("Several checks"),
  guardrail_max_retries: z
    .number()
    .int()
    .min(0)
    .max(10)
    .default(3)
    .describe("How often the task is repeated after a result that does not pass"),
});
export type CrewTask = z.infer<typeof CrewTask>;

/**
 * The schema of the names of agents and tasks. A number is not allowed as a name. JavaScript moves numeric keys of an object to the front,
 * and this would change the order of the tasks.
 */
const key = stepName.refine((name) => !/^\d+$/.test(name), "a name is not a number");
const isAtMost = (most: number) => (all: object) => Object.keys(all).length <= most;
const isSome = (all: object) => Object.keys(all).length > 0;

/** The fields that define a crew. */
export const definition = {
  agents: z
    .record(key, CrewAgent)
    .refine(isSome, "there is no agent")
    .refine(isAtMost(mostAgents), `a crew has at most ${mostAgents} agents`)
    .describe("Agents by name, as in agents.yaml"),
  tasks: z
    .record(key, CrewTask)
    .refine(isSome, "there is no task")
    .refine(isAtMost(mostTasks), `a crew has at most ${mostTasks} tasks`)
    .describe("Tasks by name, in their order, as in tasks.yaml"),
  process: z.enum(["sequential", "hierarchical"]).describe("sequential: in order. hierarchical: a manager gives each task to the agents."),
  manager_llm: z.string().min(1).describe("Model of the manager. A hierarchical crew needs it."),
};

const Definition = closed({
  ...definition,
  process: definition.process.default("sequential"),
  manager_llm: definition.manager_llm.optional(),
});
export type Definition = z.infer<typeof Definition>;
export type DefinitionInput = z.input<typeof Definition>;
export const parseDefinition = (given: DefinitionInput): Definition => Definition.parse(given);

export interface Problem {
  path: PropertyKey[];
  message: string;
}

/** Returns the problems of a crew as a whole: unknown agents and tasks, tasks that refer to later ones, and invalid schemas. */
export function problemsOf({ agents, tasks, process, manager_llm: manager }: Definition): Problem[] {
  const isManaged = process === "hierarchical";
  const names = Object.keys(tasks);
  const ofTasks = Object.entries(tasks).flatMap(([name, task], index) => {
    const at = (field: string, message: string, ...more: PropertyKey[]) => ({ path: ["tasks", name, field, ...more], message });
    const { agent, context = [], output_json: schema, guardrail, guardrails } = task;
    const problems: (Problem | false | undefined)[] = [
      agent === undefined && !isManaged && at("agent", "a sequential task needs an agent"),
      agent !== undefined && !(agent in agents) && at("agent", `there is no agent "${agent}"; there are ${Object.keys(agents).join(", ")}`),
      ...context.map((other, place) => {
        if (!names.includes(other)) return at("context", `there is no task "${other}"`, place);
        return names.indexOf(other) >= index && at("context", `"${other}" does not come before this task`, place);
      }),
      schema && whyNoSchema(schema) !== undefined && at("output_json", `this JSON schema cannot be used: ${whyNoSchema(schema)}`),
      isManaged && (guardrail !== undefined || guardrails.length > 0) && at("guardrail", "a manager's task has no guardrails"),
      isManaged && schema && at("output_json", "a manager's task has a text as its result"),
    ];
    return problems.filter((problem): problem is Problem => Boolean(problem));
  });
  const lacksManager = isManaged && manager === undefined;
  return [...(lacksManager ? [{ path: ["manager_llm"], message: "a hierarchical crew needs the model of its manager" }] : []), ...ofTasks];
}

function whyNoSchema(schema: Record<string, unknown>): string | undefined {
  try {
    z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const placeholder = /\{([A-Za-z_][\w-]*)\}/g;

/** Returns the names of the inputs that a crew's texts refer to. */
export function placeholdersIn({ agents, tasks }: Pick<Definition, "agents" | "tasks">): string[] {
  const texts = [
    ...Object.values(agents).flatMap(({ role, goal, backstory }) => [role, goal, backstory]),
    ...Object.values(tasks).flatMap(({ description, expected_output }) => [description, expected_output]),
  ];
  return [...new Set(texts.flatMap((one) => [...one.matchAll(placeholder)].map(([, name = ""]) => name)))];
}

/** Returns a text in which each `{name}` is replaced by the input of that name. */
export const fill = (one: string, inputs: Record<string, unknown>): string =>
  one.replace(placeholder, (whole, name: string) => {
    const value = Object.hasOwn(inputs, name) ? inputs[name] : whole;
    return typeof value === "string" ? value : JSON.stringify(value);
  });

/** The default crew, for runs that define no crew. */
export const usualCrew: Definition = parseDefinition({
  agents: {
    researcher: {
      role: "a researcher",
      goal: "Find what is known about {task}",
      backstory: "You separate what is sure from what is not.",
    },
    writer: { role: "a writer", goal: "Answer clearly and briefly", backstory: "You write for readers who know nothing yet." },
  },
  tasks: {
    research: { description: "Collect what an answer needs: {task}", expected_output: "A list of points", agent: "researcher" },
    answer: { description: "Write the answer: {task}", expected_output: "The answer only, in a few paragraphs", agent: "writer" },
  },
});
