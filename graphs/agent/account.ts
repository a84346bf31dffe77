import type { BaseMessage } from "@langchain/core/messages";
import { raceWithSignal } from "@langchain/core/runnables";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { Budget } from "./context.ts";
import { costOf, enforceBudget, type LedgerEntry, type Spent, spentIn } from "./ledger.ts";
import { tokensOf } from "./usage.ts";

/**
 * The model calls of one super-step: the ledger entries of the ended calls, and the expected cost of each call in flight. Tasks that run in
 * parallel in the super-step share one account.
 */
export interface Account {
  ended: LedgerEntry[];
  inFlight: Set<Spent>;
  /** Functions that wake waiting calls when a call in flight ends. */
  waiting: (() => void)[];
}

export const newAccount = (): Account => ({ ended: [], inFlight: new Set(), waiting: [] });

/**
 * The accounts of all executions of runs in this process. The outer key is an object that LangGraph keeps for one execution, so the entry
 * is freed with the execution. The inner key is the namespace of a graph in the run. The value is the account of that graph's current
 * super-step.
 */
const accounts = new WeakMap<object, Map<string, { step: number; account: Account }>>();

/**
 * Returns the account that the parallel tasks of the current super-step share. The ledger in the graph's state has the calls of earlier
 * super-steps.
 */
export function accountOf({ control, configurable, metadata }: LangGraphRunnableConfig): Account {
  if (!control) return newAccount();
  const namespace = String(configurable?.checkpoint_ns ?? "");
  const graph = namespace.slice(0, Math.max(0, namespace.lastIndexOf("|")));
  const step = Number(metadata?.langgraph_step ?? 0);
  const ofRun = accounts.get(control) ?? new Map<string, { step: number; account: Account }>();
  accounts.set(control, ofRun);
  const known = ofRun.get(graph);
  if (known?.step === step) return known.account;
  const account = newAccount();
  ofRun.set(graph, { step, account });
  return account;
}

/** A budget, and the model calls whose cost counts against it. */
export interface Purse {
  budget: Budget;
  /** The ledger entries of the calls before the current super-step. */
  earlier?: LedgerEntry[];
  account: Account;
}

/**
 * Reserves the expected cost of a model call. Throws if the budget is used up. If the calls in flight leave no room in the budget, waits
 * until one of them ends, because that call may cost less than expected. Returns a function that replaces the reservation with the call's
 * ledger entries. Call that function when the call ends.
 */
export async function reserve({ budget, earlier = [], account }: Purse, expected: Spent, signal: AbortSignal | undefined) {
  const { ended, inFlight } = account;
  for (;;) {
    enforceBudget([...earlier, ...ended], budget);
    if (inFlight.size === 0 || hasRoom(budget, [spentIn([...earlier, ...ended]), ...inFlight, expected])) break;
    const { promise, resolve } = Promise.withResolvers<void>();
    account.waiting.push(resolve);
    await raceWithSignal(promise, signal);
  }
  inFlight.add(expected);
  return (entries: LedgerEntry[]): void => {
    inFlight.delete(expected);
    ended.push(...entries);
    for (const wake of account.waiting.splice(0)) wake();
  };
}

function hasRoom({ tokens = Number.POSITIVE_INFINITY, dollars = Number.POSITIVE_INFINITY }: Budget, all: Spent[]): boolean {
  const sum = (figure: keyof Spent) => all.reduce((total, one) => total + one[figure], 0);
  return sum("tokens") <= tokens && sum("dollars") <= dollars;
}

/** The expected length of an agent's first answer, in tokens. */
const usualAnswer = 500;

/** Returns the expected cost of a model call. Assumes that the answer will be as long as the agent's mean answer so far. */
export function expectedCost({ agent, model }: { agent: string; model: string }, prompt: BaseMessage[], purse: Purse): Spent {
  const { budget, earlier = [], account } = purse;
  const known = [...earlier, ...account.ended].filter((one) => one.agent === agent && one.outcome === "success");
  const answered = known.reduce((sum, { outputTokens }) => sum + outputTokens, 0);
  const inputTokens = tokensOf(prompt);
  const outputTokens = known.length > 0 ? Math.ceil(answered / known.length) : usualAnswer;
  return { tokens: inputTokens + outputTokens, dollars: costOf(model, { inputTokens, outputTokens }, budget) };
}
