import { z } from "zod";
import type { Budget } from "./context.ts";
import { appending } from "./state.ts";

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
  cached: z.literal(true).optional().describe("Set when the answer came from the result cache and cost nothing"),
});

export type LedgerEntry = z.infer<typeof LedgerEntry>;

/** The state key `ledger`. Every call appends to it. */
export const Ledger = appending(LedgerEntry, "Every call of an agent, in the order they ended");

/** Dollars per million tokens for the patterns' default models. A context can override and add prices. */
const prices: Budget["prices"] = {
  "gpt-5": { input: 1.25, output: 10 },
  "gpt-5-mini": { input: 0.25, output: 2 },
  "gpt-5-nano": { input: 0.05, output: 0.4 },
};

/** The requested model, and the model that answered: an exact version of it, or another model. */
export interface Answering {
  asked: string;
  answered: string | undefined;
}

/**
 * Returns the price of a model. The context's prices come first. The table applies only to a model under its own name, so a rehearsal
 * costs nothing.
 */
export function costOf({ asked, answered = asked }: Answering, inputTokens: number, outputTokens: number, budget: Budget): number {
  const listed = answered.startsWith(asked) ? asked : answered;
  const price = budget.prices[answered] ?? budget.prices[asked] ?? prices[listed];
  return price ? (inputTokens * price.input + outputTokens * price.output) / 1_000_000 : 0;
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
