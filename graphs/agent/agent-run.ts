import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { type Account, accountOf, type Purse } from "./account.ts";
import type { Agent } from "./agent.ts";
import type { AskTimeout } from "./ask-human.ts";
import type { Budget, Limits } from "./context.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { Proposal } from "./proposal.ts";

/** An agent at work in a run: the agent itself, and the settings and limits that the run gives it. */
export interface AgentRun {
  agent: Agent;
  /** The model and the temperature from the run's context. They do not apply to an agent with a model of its own. */
  model: string | BaseChatModel;
  temperature?: number;
  constraints?: string[];
  limits: Limits;
  budget: Budget;
  /** The ledger entries of the calls before the current super-step. They count towards the run's budget. */
  earlier?: LedgerEntry[];
  /**
   * The model calls of the current super-step. Undefined if the agent's graph is the run's own graph and not a subgraph. `purseOf` then
   * finds these calls through the config of the current node, and the calls of earlier super-steps in the ledger of the agent's state.
   */
  account?: Account;
  /** The internal hosts that the run's context selects from the operator's list. Null selects all of them. */
  hosts: string[] | null;
  askTimeoutSeconds: AskTimeout;
  /** The run counts as stalled only if no model call has ended for at least this number of seconds. Default: 60. */
  stalledSeconds?: number | undefined;
  /** True if this agent's tokens are hidden from clients that stream the run. */
  quiet: boolean;
  /** The name of the task in the ledger entries of this agent. */
  task: string;
  /** The name of the pattern for which the agent works. It appears in progress events. */
  pattern: string;
  /**
   * Whether another agent called this agent as a tool. If so, this agent does not run tool calls whose effect cannot be undone (tier 3). It
   * only proposes these calls to the other agent.
   */
  isCalled?: boolean;
  /** Called with the tool calls that this agent proposes, and with the proposals of the agents that this agent calls. */
  propose?: (proposals: Proposal[]) => void;
  /**
   * Called with the ledger entries of each model call as soon as the call ends. The caller thus knows the cost of work that fails later.
   */
  record?: (entries: LedgerEntry[]) => void;
  /**
   * Called at the start of each round with the ledger entries in the agent's state. In the first call, these are the entries that an
   * earlier execution of the same run has stored, for example before a crash.
   */
  resume?: (stored: LedgerEntry[]) => void;
}

/** Returns the budget of the run, and the calls that are charged to it. `ledger` is the ledger in the agent's state. */
export function purseOf({ budget, earlier = [], account }: AgentRun, ledger: LedgerEntry[], config: LangGraphRunnableConfig): Purse {
  return account ? { budget, earlier, account } : { budget, earlier: ledger, account: accountOf(config) };
}

/** Returns the names of the agent's tools, including the tools that are defined in code. */
export const namesOf = ({ agent }: AgentRun): string[] => agent.tools.map((tool) => (typeof tool === "string" ? tool : tool.name));

/** Returns the fields that the stall watch needs to watch a model call of this agent. */
export const callerOf = ({ agent, pattern, stalledSeconds }: AgentRun) => ({ agent: agent.name, pattern, stalledSeconds });

/** Returns the fields of a ledger entry that are known when the model call starts. */
export const calledBy = ({ agent, task, model, budget }: AgentRun, started: number) => {
  const used = agent.model ?? model;
  const name = typeof used === "string" ? used : String(Object(used).model ?? used.getName());
  return { agent: agent.name, task, model: name, started, budget };
};
