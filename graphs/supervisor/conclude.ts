import { z } from "zod";
import { type Conflict, findConflicts, recommendationsOf, settleAll, type View } from "../kit/conflicts.ts";
import type { LedgerEntry } from "../kit/ledger.ts";
import type { WorkStep } from "../kit/plan-of-work.ts";
import { requireAgent } from "../kit/require.ts";
import type { StepResult } from "../kit/step-work.ts";
import { Synthesis } from "../kit/synthesis.ts";
import { contextOf } from "./context.ts";
import { judging } from "./judge.ts";
import type { Node } from "./state.ts";

/** Settles contradictions between findings as the context says. The losing view stays in the report. */
export const reconcile: Node = async ({ steps, results }, config) => {
  const { roster, conflicts: strategy, askTimeoutSeconds } = contextOf(config);
  const views = steps.flatMap(({ id, agent }): View[] => {
    const weight = roster.find(({ name }) => name === agent)?.weight ?? 1;
    return (results[id]?.work?.findings ?? []).map((finding) => ({ ...finding, agent, weight }));
  });
  const ledger: LedgerEntry[] = [];
  const arbitrate = async (conflict: Conflict) => {
    const task = `These views of "${conflict.subject}" contradict each other. Decide which recommendation holds.`;
    const schema = z.object({ winner: z.enum(recommendationsOf(conflict)), reason: z.string(), confidence: z.number().min(0).max(1) });
    const { result, entry } = await requireAgent({ ...judging(config, task, conflict.views), answer: { name: "ruling", schema } }, config);
    ledger.push(entry);
    return result;
  };
  const settlements = await settleAll(findConflicts(views), { strategy, arbitrate, askTimeoutSeconds });
  return { settlements, ledger, results: skipped(steps, results) };
};

/** Returns a skipped outcome for each step that could not be reached any more. */
function skipped(steps: WorkStep[], results: Record<string, StepResult>): Record<string, StepResult> {
  const left = steps.filter(({ id }) => !results[id]);
  return Object.fromEntries(left.map(({ id }) => [id, { status: "skipped", work: null, error: null, tries: 0 }]));
}

/** Writes one report of the completed work. Missing work is named as a gap. */
export const synthesize: Node = async ({ task, steps, results, settlements }, config) => {
  const done = steps.flatMap(({ id, agent }) => (results[id]?.work ? [{ agent, ...results[id].work }] : []));
  const gaps = steps
    .filter(({ id }) => results[id]?.status !== "success")
    .map(({ id, task: missing }) => `${id} (${missing}): ${results[id]?.error ?? "not done"}`);
  if (done.length === 0) throw new Error(`No step succeeded: ${gaps.join("; ")}`);
  const settled = settlements.map(({ subject, winner, reason }) => ({ subject, recommendation: winner.recommendation, reason }));
  const call = judging(config, `Write the report on: ${task}`, { done, settled });
  const { result, entry } = await requireAgent({ ...call, answer: { name: "report", schema: Synthesis } }, config);
  return { report: { ...result, gaps: [...new Set([...gaps, ...result.gaps])] }, ledger: [entry] };
};
