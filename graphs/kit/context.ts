import { z } from "zod";

/** An empty variable counts as none, as everywhere. */
const defaultModel = process.env.ENSEMBLE_MODEL || "gpt-5-mini";

/** Has no default: gpt-5 models refuse every value but their own. */
export const Temperature = z.number().min(0).max(2).optional().describe("Sent with every call if set; many models accept only 1");

/** Two tiers, so that a cheap model does the mechanical work and a good one decides. */
export const Models = z
  .object({
    judge: z.string().min(1).default(defaultModel).describe("Model that plans, routes and judges"),
    worker: z.string().min(1).default(defaultModel).describe("Model that does the work"),
    temperature: Temperature,
  })
  .prefault({})
  .describe("Which models are called");

/** Dollars per million tokens. */
const Price = z.object({
  input: z.number().min(0).describe("For a million tokens that the model reads"),
  output: z.number().min(0).describe("For a million tokens that the model writes"),
});

export const Limits = z
  .object({
    parallel: z.number().int().min(1).max(64).default(8).describe("Agents at work at once"),
    stageMs: z.number().int().min(0).max(10_000).default(50).describe("Pause between the starts of agents that begin together"),
    promptWords: z.number().int().min(50).max(100_000).default(500).describe("Longest prompt; a longer one is refused"),
    failures: z.number().int().min(1).default(3).describe("Failures after which no new work is begun"),
  })
  .prefault({})
  .describe("How much at once, and how much at most");

export const Budget = z
  .object({
    tokens: z.number().int().positive().optional().describe("Tokens that the run may use"),
    dollars: z.number().positive().optional().describe("Dollars that the run may cost"),
    prices: z.record(z.string(), Price).default({}).describe("Dollars per million tokens, by model, over the built-in table"),
  })
  .prefault({})
  .describe("What the run may use up; reached, it ends with an error that says so");

export const Cache = z
  .boolean()
  .default(false)
  .describe(
    "Whether what an agent of the same model answered to the same task and input, a day ago at most, is taken instead of asking again",
  );

/** A caller's list narrows the operator's and adds nothing to it: see operator-limits.ts. */
export const AllowedHosts = z
  .array(z.string())
  .nullable()
  .default(null)
  .describe("Hosts inside the network that may be called, with their port, out of those that the operator allows; null: all of those");
export const AllowedDirectories = z
  .array(z.string())
  .nullable()
  .default(null)
  .describe("Directories on the server that may be read, within those that the operator allows; null: all of those");

/** What every pattern can be configured with. */
export const sharedContext = { models: Models, limits: Limits, budget: Budget };

export type Models = z.infer<typeof Models>;
export type Limits = z.infer<typeof Limits>;
export type Budget = z.infer<typeof Budget>;

/** For whoever sees the work of others, which together is longer than what each of them was given. */
export const wide = (limits: Limits): Limits => ({ ...limits, promptWords: limits.promptWords * 10 });

/** For graphs that have bounds of their own: LangGraph's limit, 25 unless said otherwise, would end them before those do. */
export const mostSuperSteps = 1_000;
