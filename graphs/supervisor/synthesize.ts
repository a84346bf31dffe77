import { answerWith, requireAgent, taskOf, tierOf } from "ensemble/patterns";
import { findingsIn, type View } from "./conflicts.ts";
import type { Setup } from "./context.ts";
import { leading } from "./leader.ts";
import { prompts, reporter } from "./prompts.ts";
import { viewsOf } from "./reconcile.ts";
import { gapsOf, isNotIn, reportOf } from "./report.ts";
import type { Node } from "./state.ts";

/** Writes the answer from the completed work, and streams it to clients. Code adds the rest of the report. */
export function synthesize(setup: Setup): Node {
  return async (state, config) => {
    const { steps, results, settlements, repeated, ledger: earlier } = state;
    const context = setup.contextOf(config);
    const gaps = gapsOf(state);
    const done = steps.filter(({ id }) => results[id]?.status === "success");
    if (done.length === 0) throw new Error(`No step succeeded: ${gaps.join("; ")}`);
    const work = done.map(({ id, agent, task }) => ({ agent, task, result: withoutRepeats(results[id]?.work, agent, repeated) }));
    const settled = settlements.map(({ subject, winner, reason }) => ({ subject, recommendation: winner.recommendation, reason }));
    const agent = leading(reporter, context);
    const input = { work, settled, missing: gaps };
    const assignment = { agent, task: prompts.report(taskOf(state)), input, ...tierOf(context, "judge"), pattern: "supervisor", earlier };
    const { result, message, ledger } = await requireAgent({ ...assignment, quiet: false }, config);
    const report = { executiveSummary: result, ...reportOf(state, viewsOf(setup, state)) };
    return { messages: answerWith(result, message), report, ledger };
  };
}

/** Returns an agent's result without the findings that repeat another agent's finding of higher confidence. */
function withoutRepeats(work: unknown, agent: string, repeated: View[]): unknown {
  const findings = findingsIn(work);
  const isNew = isNotIn(repeated);
  const kept = findings.filter((finding) => isNew({ ...finding, agent }));
  return kept.length === findings.length ? work : { ...Object(work), findings: kept };
}
