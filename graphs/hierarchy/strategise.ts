import { randomUUID } from "node:crypto";
import { Overwrite } from "@langchain/langgraph";
import { AgentFailed, beginTask, type LedgerEntry, report } from "ensemble/patterns";
import { z } from "zod";
import { askJudge } from "../supervisor/judge.ts";
import { problemsOf } from "../supervisor/plan.ts";
import { cleared as clearedTeam } from "../supervisor/state.ts";
import type { Setup } from "./context.ts";
import { asStep, objectiveFor } from "./objectives.ts";
import { prompts } from "./prompts.ts";
import { asAgentData, type SquadState } from "./squads.ts";
import { cleared, type Node } from "./state.ts";

/**
 * Lets the commander turn the mission into objectives, and checks them in code. A bad plan is returned once to the commander, with its
 * problems.
 */
export function strategise(setup: Setup): Node {
  return async (state, config) => {
    const startedAt = Date.now();
    const begun = beginTask({ messages: state.messages, task: state.mission ?? state.task });
    const squads = setup.squadsOf(config);
    const names = Object.keys(squads);
    const schema = z.object({ objectives: z.array(objectiveFor(names)).min(1).describe("Objectives of the mission and their squads") });
    const spent: LedgerEntry[] = [];
    const plan = async (problems: string[]) => {
      const input = { squads: Object.entries(squads).map(introduce), ...(state.input !== null && { input: state.input }) };
      const question = { task: prompts.plan(begun.task, problems), input, schema, before: [], spent };
      const { objectives } = await askJudge(setup.team, question, config);
      return { objectives, problems: problemsOf(objectives.map(asStep), names).map(({ text }) => text) };
    };
    const first = await plan([]);
    const { objectives, problems } = first.problems.length > 0 ? await plan(first.problems) : first;
    if (problems.length > 0) throw new AgentFailed(`No plan that can be carried out: ${problems.join(" ")}`, spent);
    report(config, "hierarchy", "plan", startedAt, { objectives: objectives.length });
    return {
      ...{ ...begun, ...clearedTeam(), ...cleared(), squads, objectives, steps: objectives.map(asStep) },
      ...{ roster: Object.entries(squads).map(asAgentData), wave: randomUUID(), ledger: new Overwrite(spent) },
    };
  };
}

/** Returns the fields of a squad that the commander sees when it plans. */
const introduce = ([name, { description, workers }]: [string, SquadState]) => ({ name, description, workers });
