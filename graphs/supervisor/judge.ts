import {
  type Agent,
  type AgentData,
  AgentFailed,
  BudgetExceeded,
  fromData,
  type LedgerEntry,
  requireAgent,
  tierOf,
} from "ensemble/patterns";
import type { z } from "zod";
import type { Config, Setup } from "./context.ts";
import { leading } from "./leader.ts";
import { judge } from "./prompts.ts";

interface Question<Schema extends z.ZodType> {
  task: string;
  input?: unknown;
  schema: Schema;
  /** The ledger entries of the run from before the current node. */
  before: LedgerEntry[];
  /** The ledger entries of the current node. `askJudge` adds the entries of its call to this list. */
  spent: LedgerEntry[];
}

/** Asks the judge a question and returns its answer. If the judge fails, the run fails. */
export async function askJudge<Schema extends z.ZodType>(
  setup: Setup,
  { before, spent, ...question }: Question<Schema>,
  config: Config,
): Promise<z.infer<Schema>> {
  const context = setup.contextOf(config);
  const agent = leading(judge, context);
  try {
    const assignment = { agent, ...tierOf(context, "judge"), pattern: "supervisor", earlier: before };
    const { result, ledger } = await requireAgent({ ...assignment, ...question }, config);
    spent.push(...ledger);
    return result;
  } catch (error) {
    if (error instanceof AgentFailed) throw new AgentFailed(error.message, [...spent, ...error.ledger]);
    if (error instanceof BudgetExceeded) throw new BudgetExceeded(error.message, [...spent, ...error.ledger]);
    throw error;
  }
}

/**
 * Returns the agents of a run: those of `roster`, or those from the code if `roster` is null. The roster comes from the run's context. The
 * state keeps it, so that a run that resumes need not send it again.
 */
export const teamOf = ({ agents }: Setup, roster: AgentData[] | null): Agent[] => roster?.map(fromData) ?? agents;

export const namesOf = (team: Agent[]): string[] => team.map(({ name }) => name);
