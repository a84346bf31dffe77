import { randomUUID } from "node:crypto";
import { Overwrite } from "@langchain/langgraph";
import { type Agent, AgentFailed, beginTask, type LedgerEntry, report } from "ensemble/patterns";
import type { Setup } from "./context.ts";
import { askJudge, namesOf, teamOf } from "./judge.ts";
import { planFor, problemsOf } from "./plan.ts";
import { prompts } from "./prompts.ts";
import { cleared, type Node } from "./state.ts";

/** Lets the judge plan the work, and checks the plan in code. A bad plan is returned once to the judge, with its problems. */
export function route(setup: Setup): Node {
  return async (state, config) => {
    const startedAt = Date.now();
    const begun = beginTask(state);
    const roster = setup.contextOf(config).roster ?? null;
    const team = teamOf(setup, roster);
    const names = namesOf(team);
    const spent: LedgerEntry[] = [];
    const plan = async (problems: string[]) => {
      const task = prompts.plan(begun.task, problems);
      const input = { team: team.map(introduce), ...(state.input !== null && { input: state.input }) };
      const { steps } = await askJudge(setup, { task, input, schema: planFor(names), before: [], spent }, config);
      return { steps, problems: problemsOf(steps, names).map(({ text }) => text) };
    };
    const first = await plan([]);
    const { steps, problems } = first.problems.length > 0 ? await plan(first.problems) : first;
    if (problems.length > 0) throw new AgentFailed(`No plan that can be carried out: ${problems.join(" ")}`, spent);
    report(config, "supervisor", "plan", startedAt, { steps: steps.length });
    return { ...begun, ...cleared(), roster, steps, wave: randomUUID(), ledger: new Overwrite(spent) };
  };
}

/** Returns the fields of an agent that the judge sees when it plans. */
function introduce({ name, role, description, tools }: Agent) {
  return { name, role, description, tools: tools.map((tool) => (typeof tool === "string" ? tool : tool.name)) };
}
