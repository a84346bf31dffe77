import { z } from "zod";
import type { Budget, Price } from "./context.ts";
import { appending } from "./state.ts";
import type { Usage } from "./usage.ts";

export const CallStatus = z.enum(["success", "failed", "timeout", "skipped"]);

/** One call of an agent. The execution log, the cost report and the audit trail are lists of these. */
export const LedgerEntry = z.object({
  agent: z.string().describe("Agent that was called"),
  task: z.string().describe("Task of the call"),
  model: z.string().describe("Model that answered, else the requested one"),
  at: z.string().describe("Start of the call"),
  elapsedMs: z.number().describe("Duration, failed attempts included"),
  attempts: z.number().int().describe("Number of requests to the model"),
  outcome: CallStatus.describe("Outcome"),
  error: z.string().optional().describe("Reason of a failure"),
  inputTokens: z.number().int().describe("Input tokens as the model reported them"),
  outputTokens: z.number().int().describe("Output tokens as the model reported them"),
  dollars: z.number().describe("Cost by the price table. 0 for a model without a price."),
  cachedTokens: z.number().int().optional().describe("Input tokens that the endpoint had cached"),
  estimated: z
    .literal(true)
    .optional()
    .describe("Set when the endpoint reported no usage, so the tokens are estimated from the characters"),
  cached: z.literal(true).optional().describe("Set when the answer came from the result cache and cost nothing"),
});

export type LedgerEntry = z.infer<typeof LedgerEntry>;

/** The state key `ledger`. Every call appends to it. */
export const Ledger = appending(LedgerEntry, "Every call of an agent, in the order they ended");

/** Dollars per million tokens for the patterns' default models. A context can override and add prices. */
const table: Budget["prices"] = {
  "gpt-5": { input: 1.25, cachedInput: 0.125, output: 10 },
  "gpt-5-mini": { input: 0.25, cachedInput: 0.025, output: 2 },
  "gpt-5-nano": { input: 0.05, cachedInput: 0.005, output: 0.4 },
};

/**
 * Returns the price of a call. The context's prices come first. The table applies only to a model under its own name, so a rehearsal
 * costs nothing.
 */
export function costOf(asked: string, { answered = asked, inputTokens, outputTokens, cachedTokens = 0 }: Usage, budget: Budget): number {
  const price = priceOf(asked, answered, budget);
  if (!price) return 0;
  const { input, output, cachedInput = input } = price;
  return ((inputTokens - cachedTokens) * input + cachedTokens * cachedInput + outputTokens * output) / 1_000_000;
}

/** Returns the price of a model. `answered` is an exact version of the requested model, or another model. */
export function priceOf(asked: string, answered: string, { prices }: Budget): Price | undefined {
  const listed = answered.startsWith(asked) ? asked : answered;
  return prices[answered] ?? prices[asked] ?? table[withoutProvider(listed)];
}

const withoutProvider = (model: string) => model.replace(/^openai:/, "");

/** The start and the subject of a call, for its ledger entry. */
export interface Called {
  agent: string;
  task: string;
  model: string;
  started: number;
  budget: Budget;
}

/** Returns the ledger entry of a call. */
export function entryOf(called: Called, outcome: LedgerEntry["outcome"], attempts: number, usage: Usage, error?: string): LedgerEntry {
  const { agent, task, model, started, budget } = called;
  const { answered, isEstimated, ...tokens } = usage;
  return {
    agent,
    task: shorten(task),
    model: answered ?? model,
    at: new Date(started).toISOString(),
    elapsedMs: Date.now() - started,
    attempts,
    outcome,
    ...(error !== undefined && { error }),
    ...tokens,
    dollars: costOf(model, usage, budget),
    ...(isEstimated && { estimated: isEstimated }),
  };
}

const longestTask = 200;

function shorten(text: string): string {
  return text.length > longestTask ? `${text.slice(0, longestTask)}…` : text;
}

export interface Spent {
  tokens: number;
  dollars: number;
}

export function spentIn(ledger: LedgerEntry[]): Spent {
  return {
    tokens: ledger.reduce((sum, { inputTokens, outputTokens }) => sum + inputTokens + outputTokens, 0),
    dollars: ledger.reduce((sum, { dollars }) => sum + dollars, 0),
  };
}

/** Returns the rest of a budget, for a graph with its own count. The budget must not be used up, because a budget is positive. */
export function budgetLeft(ledger: LedgerEntry[], budget: Budget): Budget {
  const spent = spentIn(ledger);
  return {
    ...budget,
    ...(budget.tokens !== undefined && { tokens: budget.tokens - spent.tokens }),
    ...(budget.dollars !== undefined && { dollars: budget.dollars - spent.dollars }),
  };
}

export class BudgetExceeded extends Error {
  override name = "BudgetExceededError";
}

/** Throws when the budget is used up. Every wave of calls begins with this check. */
export function enforceBudget(ledger: LedgerEntry[], { tokens, dollars }: Budget): void {
  const spent = spentIn(ledger);
  if (tokens !== undefined && spent.tokens >= tokens) {
    throw new BudgetExceeded(`The run has used ${spent.tokens} tokens of its budget of ${tokens}; no more work is begun.`);
  }
  if (dollars !== undefined && spent.dollars >= dollars) {
    throw new BudgetExceeded(`The run has cost $${spent.dollars.toFixed(4)} of its budget of $${dollars}; no more work is begun.`);
  }
}
