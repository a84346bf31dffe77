import { z } from "zod";
import { AskTimeout } from "./ask-human.ts";
import { closed, type Problem } from "./closed.ts";
import { withDefaults } from "./defaults.ts";
import { PatternGuardrails } from "./guards/schema.ts";
import { priceOf } from "./ledger.ts";
import { Alerts } from "./metrics/alerts.ts";
import { ToolName } from "./tool-names.ts";

/** The default model, from ENSEMBLE_MODEL. An empty variable is ignored. */
const defaultModel = process.env.ENSEMBLE_MODEL || "gpt-5-mini";

/**
 * The sampling temperature of a model call. It has no default, because gpt-5 models refuse every temperature other than their default of 1.
 */
export const Temperature = z.number().min(0).max(2).optional().describe("Temperature of every call, if set. Many models accept only 1.");

/** The models of a run. A cheap model can do the work while a better one plans and decides. */
export const Models = closed({
  judge: z.string().min(1).default(defaultModel).describe("Model that plans, routes and judges, as `provider:model`"),
  worker: z.string().min(1).default(defaultModel).describe("Model that does the work, as `provider:model`"),
  temperature: Temperature,
})
  .prefault({})
  .describe("Models to call");

/** The price of a model, in dollars per million tokens. */
const Price = closed({
  input: z.number().min(0).describe("Dollars per million input tokens"),
  cachedInput: z
    .number()
    .min(0)
    .optional()
    .describe("Dollars per million input tokens that the endpoint had cached. Default: the price of `input`."),
  output: z.number().min(0).describe("Dollars per million output tokens"),
});

export const Limits = closed({
  parallel: z.number().int().min(1).max(64).default(8).describe("Agents that work in parallel"),
  stageMs: z.number().int().min(0).max(10_000).default(50).describe("Pause between the starts of agents that begin together"),
  promptWords: z
    .number()
    .int()
    .min(50)
    .max(100_000)
    .default(500)
    .describe("Longest instruction of an agent in words. A longer one is refused."),
  materialTokens: z
    .number()
    .int()
    .min(100)
    .max(1_000_000)
    .default(50_000)
    .describe("Longest task or material of an agent in tokens. The rest is cut, and a note tells the agent."),
  failures: z.number().int().min(1).default(3).describe("Failures after which no new work starts"),
})
  .prefault({})
  .describe("Limits on parallel work and on size");

export const Budget = closed({
  tokens: z.number().int().positive().optional().describe("Number of tokens that the run may use"),
  dollars: z.number().positive().optional().describe("Dollars that the run may cost"),
  prices: z.record(z.string(), Price).default({}).describe("Dollars per million tokens, by model. They override the built-in table."),
})
  .prefault({})
  .describe("Budget of the run. If it is used up, the run ends with an error.");

export type Price = z.infer<typeof Price>;

export const Cache = z
  .boolean()
  .default(false)
  .describe(
    "Whether what an agent of the same model answered to the same task and input, a day ago at most, is taken instead of asking again",
  );

/**
 * The internal hosts that a caller's context allows. They are a selection from the operator's list (see operator-limits.ts), so a caller
 * cannot add any.
 */
export const AllowedHosts = z
  .array(z.string())
  .nullable()
  .default(null)
  .describe(
    "Internal hosts, with their port, that the run may call. Hosts that the operator does not allow have no effect. Null: all hosts that the operator allows.",
  );
export const AllowedDirectories = z
  .array(z.string())
  .nullable()
  .default(null)
  .describe(
    "Directories of the server that the run may read, within the directories that the operator allows. Null: all directories that the operator allows.",
  );

/** The fields that are in the context of every pattern. */
export const sharedContext = {
  models: Models,
  limits: Limits,
  budget: Budget,
  guardrails: PatternGuardrails.prefault({}).describe("Checks of the input and of the final answer of the run"),
  alerts: Alerts,
};

/**
 * Returns the schema of a pattern's context: the shared fields, and the pattern's own fields in `shape`.
 * - `defaults` replaces the defaults of any of these fields.
 * - `agents` are the agents that the pattern uses unless the context has its own list of agents.
 * - A context with a budget in dollars is refused if any model in it, or any model of its agents, has no known price.
 * - Unknown keys are refused.
 * - `judge` checks all values together and returns the problems. It gets undefined for a value that has already failed its own check.
 */
export function patternContext<Shape extends z.ZodRawShape>(
  shape: Shape,
  defaults: object = {},
  agents: { model?: unknown; guardrails?: unknown }[] = [],
  judge: (values: Record<string, unknown>) => Problem[] = () => [],
) {
  const fields = withDefaults({ ...sharedContext, ...shape }, defaults as Record<string, unknown>);
  const context = closed(fields, (given) => {
    const { models, budget, ...others } = given as Record<string, unknown>;
    const sent = Object.values(others).filter(Array.isArray).flat() as { model?: unknown; role?: unknown }[];
    const settings = Object.values(others).filter((one) => typeof one === "object" && one !== null) as { model?: unknown }[];
    const roster = [...settings, ...(sent.some((one) => one?.role !== undefined) ? sent : agents)];
    const named = Models.safeParse(fields.models.safeParse(models).data).data;
    const limit = fields.budget.safeParse(budget).data;
    const own = Object.entries(fields).map(([key, field]) => [key, (field as z.ZodType).safeParse(Object(given)[key]).data]);
    const problems = judge(Object.fromEntries(own));
    if (!named || !limit) return problems;
    return [
      ...problems,
      ...unpriced([named.judge, named.worker, ...[{ guardrails: others.guardrails }, ...roster].flatMap(modelsOf)], limit),
    ];
  });
  context.parse(defaults); // throws here if a default in code is wrong, so the mistake shows before the first run
  return context;
}

/** Returns the models that an agent uses: its own model, and the models of the judges among its guards. */
function modelsOf(agent: object | null | undefined): unknown[] {
  const { model, guardrails } = Object(agent);
  const { input, output, tool } = Object(guardrails);
  const guards = [input, output, ...Object.values(Object(tool))].filter(Array.isArray).flat();
  return [model, ...guards.map((guard) => Object(guard).model)];
}

/** Returns a problem for each model whose price is unknown. Returns none if the budget has no limit in dollars. */
function unpriced(models: unknown[], budget: Budget) {
  if (budget.dollars === undefined) return [];
  const names = new Set(models.filter((model) => typeof model === "string"));
  return [...names]
    .filter((name) => !priceOf(name, name, budget))
    .map((name) => ({
      path: ["budget", "dollars"],
      message: `the model "${name}" has no price; give one in budget.prices, or a budget of tokens`,
    }));
}

/** The context fields of every pattern whose agent uses tools. */
export const solverContext = {
  instructions: z
    .string()
    .default("You solve tasks. Use a tool when it helps; answer when you know.")
    .describe("System prompt of the agent that uses the tools"),
  tools: z.array(ToolName).default(["calculate", "now"]).describe("Tools that may be used"),
  approve: z.array(ToolName).default([]).describe("Tools that need a person's approval each time"),
  askTimeoutSeconds: AskTimeout,
  allowedHosts: AllowedHosts,
  stepLimit: z.number().int().min(1).max(50).default(10).describe("Rounds of tool calls after which the agent must answer"),
  timeoutSeconds: z.number().positive().max(3_600).default(60).describe("Timeout of each model call"),
};

export type Models = z.infer<typeof Models>;
export type Limits = z.infer<typeof Limits>;
export type Budget = z.infer<typeof Budget>;

/** The fields of a pattern's parsed context that the agents of the pattern use. */
interface AgentContext {
  models: Models;
  limits: Limits;
  budget: Budget;
  allowedHosts?: string[] | null;
  askTimeoutSeconds?: number | null;
  alerts?: Alerts;
}

/**
 * Returns the settings of a run that apply to all its agents. `tier` says which of the run's two models the agents use: the model for
 * judging or the model for the work.
 */
export function tierOf(
  { models, limits, budget, allowedHosts = null, askTimeoutSeconds = null, alerts }: AgentContext,
  tier: "judge" | "worker",
) {
  const stalling = alerts && { stalledSeconds: alerts.stalledSeconds };
  return { model: models[tier], temperature: models.temperature, limits, budget, hosts: allowedHosts, askTimeoutSeconds, ...stalling };
}

/** The recursion limit of graphs that limit their own steps. LangGraph's default of 25 steps would end their runs too early. */
export const mostSuperSteps = 1_000;
