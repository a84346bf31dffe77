import { z } from "zod";
import type { Budget, Price } from "./context.ts";
import { appending } from "./state.ts";
import type { Usage } from "./usage.ts";

export const CallStatus = z.enum(["success", "failed", "timeout", "skipped"]);

/** A ledger entry: one call of an agent, with its cost. Execution logs, cost reports and audit trails are made from lists of entries. */
export const LedgerEntry = z.object({
  agent: z.string().describe("Agent that was called"),
  task: z.string().describe("Task of the call"),
  model: z.string().describe("Model that answered. If unknown: the requested model."),
  at: z.string().describe("Time at which the call began"),
  elapsedMs: z.number().describe("Duration in milliseconds, including failed attempts"),
  attempts: z.number().int().describe("Number of requests to the model"),
  outcome: CallStatus.describe("Outcome of the call"),
  error: z.string().optional().describe("Why the call failed"),
  inputTokens: z.number().int().describe("Input tokens as the model reported them"),
  outputTokens: z.number().int().describe("Output tokens as the model reported them"),
  dollars: z.number().describe("Cost by the price table. 0 for a model without a price."),
  cachedTokens: z.number().int().optional().describe("Input tokens that the endpoint had cached"),
  estimated: z
    .literal(true)
    .optional()
    .describe("Set if the endpoint reported no usage. The tokens are then estimated from the number of characters."),
  waitedMs: z.number().optional().describe("Milliseconds that the call waited for resources, if it had to wait"),
  resumedAt: z
    .number()
    .optional()
    .describe("When a person's answer continued the run before the call, in milliseconds since 1970. Missing if none did."),
  stalled: z
    .enum(["slow", "dead"])
    .optional()
    .describe("Set if the run stalled because of the call. `slow`: the model still sent tokens. `dead`: it sent nothing."),
  cached: z.literal(true).optional().describe("Set if the answer came from the result cache and cost nothing"),
});

export type LedgerEntry = z.infer<typeof LedgerEntry>;

/** The state key `ledger`. Nodes append an entry for every call. */
export const Ledger = appending(LedgerEntry, "Every call of an agent, in the order in which the calls ended");

/** The prices of the patterns' default models, in dollars per million tokens. A context can add prices and override these. */
const table: Budget["prices"] = {
  "gpt-5": { input: 1.25, cachedInput: 0.125, output: 10 },
  "gpt-5-mini": { input: 0.25, cachedInput: 0.025, output: 2 },
  "gpt-5-nano": { input: 0.05, cachedInput: 0.005, output: 0.4 },
};

/**
 * Returns the cost of a call in dollars, or 0 if `priceOf` finds no price. Calls of the rehearsal model, which stands in for a real model,
 * cost nothing, because the built-in table has no price for it.
 */
export function costOf(asked: string, { answered = asked, inputTokens, outputTokens, cachedTokens = 0 }: Usage, budget: Budget): number {
  const price = priceOf(asked, answered, budget);
  if (!price) return 0;
  const { input, output, cachedInput = input } = price;
  return ((inputTokens - cachedTokens) * input + cachedTokens * cachedInput + outputTokens * output) / 1_000_000;
}

/**
 * Returns the price of a model call, or undefined if no price is known. The prices are searched in this order:
 * 1. the context's price for the answering model
 * 2. the context's price for the requested model
 * 3. the built-in price for the requested model, if the answering model is a version of the requested model
 * 4. otherwise, the built-in price for the answering model
 */
export function priceOf(asked: string, answered: string, { prices }: Budget): Price | undefined {
  const plain = withoutProvider(asked);
  const listed = withoutProvider(answered).startsWith(plain) ? plain : answered;
  return prices[answered] ?? prices[asked] ?? table[listed];
}

const withoutProvider = (model: string) => model.replace(/^openai:/, "");

/** The facts for a call's ledger entry that are known before the call ends. */
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

/**
 * Returns the part of the budget that the calls in the ledger have not used. Call this only while some of the budget is left, because a
 * limit in a budget must be positive.
 */
export function budgetLeft(ledger: LedgerEntry[], budget: Budget): Budget {
  const spent = spentIn(ledger);
  return {
    ...budget,
    ...(budget.tokens !== undefined && { tokens: budget.tokens - spent.tokens }),
    ...(budget.dollars !== undefined && { dollars: budget.dollars - spent.dollars }),
  };
}

/** The error of a run whose budget is used up. It carries the ledger entries of the calls in the node that was running. */
export class BudgetExceeded extends Error {
  override name = "BudgetExceededError";
  readonly ledger: LedgerEntry[];

  constructor(message: string, ledger: LedgerEntry[] = []) {
    super(message);
    this.ledger = ledger;
  }
}

/** Throws if the budget is used up. Called before each group of parallel calls. */
export function enforceBudget(ledger: LedgerEntry[], { tokens, dollars }: Budget): void {
  const spent = spentIn(ledger);
  if (tokens !== undefined && spent.tokens >= tokens) {
    throw new BudgetExceeded(`The run has used ${spent.tokens} tokens of its budget of ${tokens}; no more work is begun.`);
  }
  if (dollars !== undefined && spent.dollars >= dollars) {
    throw new BudgetExceeded(`The run has cost $${spent.dollars.toFixed(4)} of its budget of $${dollars}; no more work is begun.`);
  }
}
