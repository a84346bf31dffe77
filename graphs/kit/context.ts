import { z } from "zod";

/** Treats an empty variable as unset. */
const defaultModel = process.env.ENSEMBLE_MODEL || "gpt-5-mini";

/** Has no default, because gpt-5 models refuse every value but their own. */
export const Temperature = z.number().min(0).max(2).optional().describe("Temperature of every call, if set. Many models accept only 1.");

/** Two tiers of models, so that a cheap model does the mechanical work and a good one decides. */
export const Models = z
  .object({
    judge: z.string().min(1).default(defaultModel).describe("Model that plans, routes and judges"),
    worker: z.string().min(1).default(defaultModel).describe("Model that does the work"),
    temperature: Temperature,
  })
  .prefault({})
  .describe("Models to call");

/** Dollars per million tokens. */
const Price = z.object({
  input: z.number().min(0).describe("Dollars per million input tokens"),
  output: z.number().min(0).describe("Dollars per million output tokens"),
});

export const Limits = z
  .object({
    parallel: z.number().int().min(1).max(64).default(8).describe("Agents that work in parallel"),
    stageMs: z.number().int().min(0).max(10_000).default(50).describe("Pause between the starts of agents that begin together"),
    promptWords: z.number().int().min(50).max(100_000).default(500).describe("Longest prompt in words. A longer one is refused."),
    failures: z.number().int().min(1).default(3).describe("Failures after which no new work starts"),
  })
  .prefault({})
  .describe("Limits on parallel work and on size");

export const Budget = z
  .object({
    tokens: z.number().int().positive().optional().describe("Tokens that the run may use"),
    dollars: z.number().positive().optional().describe("Dollars that the run may cost"),
    prices: z.record(z.string(), Price).default({}).describe("Dollars per million tokens, by model. They override the built-in table."),
  })
  .prefault({})
  .describe("Budget of the run. When it is used up, the run ends with an error that says so.");

export const Cache = z
  .boolean()
  .default(false)
  .describe(
    "Whether what an agent of the same model answered to the same task and input, a day ago at most, is taken instead of asking again",
  );

/** A caller's list narrows the operator's list and adds nothing to it: see operator-limits.ts. */
export const AllowedHosts = z
  .array(z.string())
  .nullable()
  .default(null)
  .describe("Hosts of the internal network that may be called, with their port, among those that the operator allows. Null: all of those.");
export const AllowedDirectories = z
  .array(z.string())
  .nullable()
  .default(null)
  .describe("Directories of the server that may be read, within those that the operator allows. Null: all of those.");

/** The options that every pattern has. */
export const sharedContext = { models: Models, limits: Limits, budget: Budget };

export type Models = z.infer<typeof Models>;
export type Limits = z.infer<typeof Limits>;
export type Budget = z.infer<typeof Budget>;

/** The prompt limit for nodes that see the work of several agents, which together is longer than each agent's input. */
export const wide = (limits: Limits): Limits => ({ ...limits, promptWords: limits.promptWords * 10 });

/** The recursion limit for graphs with limits of their own. LangGraph's default of 25 steps would end them earlier. */
export const mostSuperSteps = 1_000;
