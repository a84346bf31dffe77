import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { Agent } from "./agent.ts";
import type { AskTimeout } from "./ask-human.ts";
import type { Budget, Limits } from "./context.ts";
import type { LedgerEntry } from "./ledger.ts";

/** The work of an agent in one run: the agent, and what the run allows it. */
export interface AgentRun {
  agent: Agent;
  /** The context's model and temperature, for an agent without its own. */
  model: string | BaseChatModel;
  temperature?: number;
  constraints?: string[];
  limits: Limits;
  budget: Budget;
  /** Earlier calls of the run, which count towards its budget. */
  earlier?: LedgerEntry[];
  /** Narrows the internal hosts that the tools may call. */
  hosts: string[] | null;
  askTimeoutSeconds: AskTimeout;
  /** Whether the agent's tokens are hidden from those who follow the run. */
  quiet: boolean;
  /** The task, as the ledger names it. */
  task: string;
  /** The pattern that its progress events name. */
  pattern: string;
  /** Is told of each call at once, also of the calls of an errand that fails later. */
  record?: (entries: LedgerEntry[]) => void;
}

/** Returns the names of the agent's tools. */
export const namesOf = ({ agent }: AgentRun): string[] => agent.tools.map((tool) => (typeof tool === "string" ? tool : tool.name));

/** Returns the subject of a call for its ledger entry. */
export const calledBy = ({ agent, task, model, budget }: AgentRun, started: number) => {
  const used = agent.model ?? model;
  const name = typeof used === "string" ? used : String(Object(used).model ?? used.getName());
  return { agent: agent.name, task, model: name, started, budget };
};
