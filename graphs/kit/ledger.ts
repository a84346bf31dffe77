import { z } from "zod";
import type { Budget } from "./context.ts";
import { appending } from "./state.ts";

export const CallStatus = z.enum(["success", "failed", "timeout", "skipped"]);

/** One call of an agent: the execution log, the cost report and the audit trail are lists of these. */
export const LedgerEntry = z.object({
  agent: z.string().describe("Who was called"),
  task: z.string().describe("For what"),
  model: z.string().describe("The model that answered, or else the one that was asked"),
  at: z.string().describe("When it began"),
  elapsedMs: z.number().describe("How long it took, attempts that failed included"),
  attempts: z.number().int().describe("How often the model was asked"),
  outcome: CallStatus.describe("What came of it"),
  error: z.string().optional().describe("Why it failed"),
  inputTokens: z.number().int().describe("Tokens that the model read, by its own figures"),
  outputTokens: z.number().int().describe("Tokens that the model wrote, by its own figures"),
  dollars: z.number().describe("By the price table; 0 for a model that is not in it"),
  cached: z.literal(true).optional().describe("It was answered from the result cache and cost nothing"),
});

export type LedgerEntry = z.infer<typeof LedgerEntry>;

/** The state key `ledger`: every call appends to it. */
export const Ledger = appending(LedgerEntry, "Every call of an agent, in the order they ended");

/** Dollars per million tokens, for the models that the patterns default to. A context can override and add. */
const prices: Budget["prices"] = {
  "gpt-5": { input: 1.25, output: 10 },
  "gpt-5-mini": { input: 0.25, output: 2 },
  "gpt-5-nano": { input: 0.05, output: 0.4 },
};

/** Which model was asked, and which one said that it answered: an exact version of it, or another one altogether. */
export interface Answering {
  asked: string;
  answered: string | undefined;
}

/** What a context prices is priced so. The table holds for a model by its own name: a rehearsal of it costs nothing. */
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

/** What is left of a budget, for a graph that counts anew. Only of one that is not used up: a budget is more than nothing. */
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

/** Refuses to begin more work once the budget is used up. Called before every wave of calls. */
export function enforceBudget(ledger: LedgerEntry[], { tokens, dollars }: Budget): void {
  const spent = spentIn(ledger);
  if (tokens !== undefined && spent.tokens >= tokens) {
    throw new BudgetExceeded(`The run has used ${spent.tokens} tokens of its budget of ${tokens}; no more work is begun.`);
  }
  if (dollars !== undefined && spent.dollars >= dollars) {
    throw new BudgetExceeded(`The run has cost $${spent.dollars.toFixed(4)} of its budget of $${dollars}; no more work is begun.`);
  }
}
