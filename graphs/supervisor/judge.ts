import { type Agent, type AgentData, enforceBudget, fromData, type LedgerEntry, requireAgent, tierOf } from "ensemble/patterns";
import type { z } from "zod";
import type { Config, Setup } from "./context.ts";
import { judge } from "./prompts.ts";

interface Question<Schema extends z.ZodType> {
  task: string;
  input?: unknown;
  schema: Schema;
  /** The ledger entries of the run so far. */
  ledger: LedgerEntry[];
}

/** Asks the judge a question. If the judge fails, the run fails. */
export function askJudge<Schema extends z.ZodType>(setup: Setup, { ledger, ...question }: Question<Schema>, config: Config) {
  const context = setup.contextOf(config);
  enforceBudget(ledger, context.budget);
  const assignment = { agent: { ...judge, timeoutSeconds: context.timeoutSeconds }, ...tierOf(context, "judge"), pattern: "supervisor" };
  return requireAgent({ ...assignment, ...question }, config);
}

/** Returns the agents of a run. If the context had a roster, it is in the state, so that a resuming run need not send it again. */
export const teamOf = ({ agents }: Setup, roster: AgentData[] | null): Agent[] => roster?.map(fromData) ?? agents;

export const namesOf = (team: Agent[]): string[] => team.map(({ name }) => name);
