import { type Agent, type AgentData, enforceBudget, fromData, type LedgerEntry, requireAgent, tierOf } from "ensemble/patterns";
import type { z } from "zod";
import type { Config, Setup } from "./context.ts";
import { judge } from "./prompts.ts";

interface Question<Schema extends z.ZodType> {
  task: string;
  input?: unknown;
  schema: Schema;
  /** The calls of the run so far. */
  ledger: LedgerEntry[];
}

/** Asks the judge. Its failure fails the run. */
export function askJudge<Schema extends z.ZodType>(setup: Setup, { ledger, ...question }: Question<Schema>, config: Config) {
  const context = setup.contextOf(config);
  enforceBudget(ledger, context.budget);
  const assignment = { agent: { ...judge, timeoutSeconds: context.timeoutSeconds }, ...tierOf(context, "judge"), pattern: "supervisor" };
  return requireAgent({ ...assignment, ...question }, config);
}

/** Returns the team of a run. A roster of its context was kept in the state, so that a resuming run need not repeat it. */
export const teamOf = ({ agents }: Setup, roster: AgentData[] | null): Agent[] => roster?.map(fromData) ?? agents;

export const namesOf = (team: Agent[]): string[] => team.map(({ name }) => name);
