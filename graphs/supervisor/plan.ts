import { randomUUID } from "node:crypto";
import { Overwrite } from "@langchain/langgraph";
import type { LedgerEntry } from "../kit/ledger.ts";
import { planFor, problemsOf, type WorkStep } from "../kit/plan-of-work.ts";
import { report } from "../kit/progress.ts";
import { requireAgent } from "../kit/require.ts";
import { type Config, contextOf } from "./context.ts";
import { judging } from "./judge.ts";
import type { Node } from "./state.ts";

/** Plans with the judge and checks the plan in code. A bad plan is returned once, with the reasons. */
export const route: Node = async ({ task, input }, config) => {
  const roster = contextOf(config).roster.map(({ name, role }) => ({ name, role }));
  const names = roster.map(({ name }) => name);
  const call = judging(config, `Split this task into steps for the team: ${task}`, { team: roster, input });
  const answer = { name: "plan", schema: planFor(names) };
  const first = await requireAgent({ ...call, answer }, config);
  const problems = problemsOf(first.result.steps, names);
  if (problems.length === 0) return planned(config, first.result.steps, [first.entry]);
  const constraints = ["Your plan before could not be carried out:", ...problems];
  const second = await requireAgent({ ...call, constraints, answer }, config);
  const left = problemsOf(second.result.steps, names);
  if (left.length > 0) throw new Error(`No plan that can be carried out: ${left.join(" ")}`);
  return planned(config, second.result.steps, [first.entry, second.entry]);
};

function planned(config: Config, steps: WorkStep[], ledger: LedgerEntry[]) {
  report(config, "supervisor", "plan", Date.parse(ledger[0]?.at ?? ""), { steps: steps.length });
  return {
    steps,
    wave: randomUUID(),
    // Clears what an earlier run left on the thread, because its steps may have had the same ids.
    results: new Overwrite({}),
    calls: new Overwrite([]),
    again: {},
    additions: 0,
    finished: false,
    settlements: [],
    report: null,
    ledger: new Overwrite(ledger),
  };
}
