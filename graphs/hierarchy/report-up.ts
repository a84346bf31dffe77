import { answerWith, requireAgent, taskOf, tierOf } from "ensemble/patterns";
import { z } from "zod";
import { Finding, findingsIn } from "../supervisor/conflicts.ts";
import type { Setup } from "../supervisor/context.ts";
import { leading } from "../supervisor/leader.ts";
import { judge } from "../supervisor/prompts.ts";
import { viewsOf } from "../supervisor/reconcile.ts";
import { gapsOf, reportOf } from "../supervisor/report.ts";
import type { Node, Output } from "../supervisor/state.ts";
import { prompts } from "./prompts.ts";

const Need = z.object({
  resource: z.enum(["tokens", "agents", "other"]).describe("tokens: budget. agents: workers at once. other: anything else"),
  amount: z.number().positive().optional().describe("Number of tokens or agents that are missing"),
  why: z.string().describe("What the squad cannot do without this resource"),
});

/** The part of a squad's report that the squad's leader, a model, writes. Code adds the rest. */
const LeaderReport = z.object({
  done: z.boolean().describe("Whether the objective is reached"),
  summary: z.string().min(1).describe("Result for the commander, in a few sentences"),
  needs: z.array(Need).default([]).describe("What the squad lacks"),
  escalations: z.array(z.string()).default([]).describe("What the commander must know or decide"),
});

/** The report of a squad on its objective. The outputs of the squad's agents are not part of the report. */
export const SquadReport = z.object({
  squad: z.string().describe("Squad that reports"),
  status: z.enum(["done", "partial", "failed"]).describe("Whether the objective is reached"),
  summary: z.string().describe("Result in a few sentences"),
  findings: z.array(Finding).describe("Findings that hold within the squad"),
  needs: z.array(Need).describe("What the squad lacks"),
  escalations: z.array(z.string()).describe("What the commander must know or decide, and what failed"),
});
export type SquadReport = z.infer<typeof SquadReport>;

/** Returns the last node of a squad. It lets the squad's leader report to the commander, and not to a person. */
export function reportUp(setup: Setup): Node {
  return async (state, config) => {
    const { steps, results, settlements, ledger: earlier } = state;
    const context = setup.contextOf(config);
    const done = steps.filter(({ id }) => results[id]?.status === "success");
    const missing = gapsOf(state);
    if (done.length === 0) throw new Error(`No step succeeded: ${missing.join("; ")}`);
    const work = done.map(({ id, agent, task }) => ({ agent, task, result: results[id]?.work }));
    const settled = settlements.map(({ subject, winner, reason }) => ({ subject, recommendation: winner.recommendation, reason }));
    const about = { agent: leading(judge, context), task: prompts.report(taskOf(state)), input: { work, settled, missing } };
    const assignment = { ...about, ...tierOf(context, "judge"), pattern: "hierarchy", earlier, schema: LeaderReport };
    const { result, ledger } = await requireAgent(assignment, config);
    const report = { executiveSummary: result.summary, ...reportOf(state, viewsOf(setup, state)) };
    return { messages: answerWith(JSON.stringify(result)), report, ledger };
  };
}

/** The values of a squad's graph. After a failure, these are the values of the last super-step that completed. */
export type SquadValues = Partial<Omit<typeof Output.State, "messages">> & { messages?: { text: string }[] };

/** Returns the report of a squad from the values of its graph. After a failure, the report contains the work so far. */
export function readReport(squad: string, values: SquadValues, failure?: Error): SquadReport {
  const { steps = [], results = {}, settlements = [], report } = values;
  const lost = new Set(settlements.flatMap(({ losers }) => losers.map(keyOf)));
  const findings = steps
    .flatMap(({ id, agent }) => findingsIn(results[id]?.work).map((finding) => ({ ...finding, agent })))
    .filter((finding) => !lost.has(keyOf(finding)))
    .map(({ agent: _, ...finding }) => finding);
  if (!failure) {
    const { done, summary, needs, escalations } = LeaderReport.parse(JSON.parse(values.messages?.at(-1)?.text ?? ""));
    const gaps = report?.gaps ?? [];
    const status = done && gaps.length === 0 ? "done" : "partial";
    return { squad, status, summary, findings, needs, escalations: [...escalations, ...gaps] };
  }
  const ended = steps.filter(({ id }) => results[id]?.status === "success");
  const failed = steps.flatMap(({ id }) => (results[id]?.error ? [`${id}: ${results[id].error}`] : []));
  const isPoor = failure.name === "BudgetExceededError";
  return {
    squad,
    status: ended.length > 0 ? "partial" : "failed",
    summary: `The squad ended with ${ended.length} of ${steps.length} steps done. ${failure.message}`,
    findings,
    needs: isPoor ? [{ resource: "tokens", why: failure.message }] : [],
    escalations: [failure.message, ...failed],
  };
}

const keyOf = ({ agent, subject, recommendation }: { agent: string; subject: string; recommendation: string }) =>
  JSON.stringify([agent, subject, recommendation]);
