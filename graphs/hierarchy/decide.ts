import { randomUUID } from "node:crypto";
import { askAnswer, budgetLeft, enforceBudget, type LedgerEntry, report, taskOf } from "ensemble/patterns";
import { z } from "zod";
import { readySteps } from "../supervisor/dispatch.ts";
import { askJudge } from "../supervisor/judge.ts";
import { hasTooManyFailures } from "../supervisor/review.ts";
import { changesOf, mostAdditions } from "./changes.ts";
import { command } from "./command.ts";
import type { Setup } from "./context.ts";
import { objectiveFor } from "./objectives.ts";
import { prompts } from "./prompts.ts";
import type { Commanded, Config, Node } from "./state.ts";

const mostQuestions = 3;

const verdictFor = (squads: string[]) =>
  z.object({
    decision: z.enum(["continue", "finish", "ask"]).describe("finish: no more work begins. ask: a person must decide first."),
    reason: z.string().describe("Reason of the decision"),
    question: z.string().optional().describe("Question to the person, if you ask"),
    options: z.array(z.string()).default([]).describe("Answers to choose from, if you ask"),
    reassign: z
      .array(z.object({ id: z.string(), squad: z.string().meta({ description: "Another squad", enum: squads }) }))
      .default([])
      .describe("Objectives that another squad tries"),
    grant: z
      .array(z.object({ id: z.string(), tokens: z.number().positive().optional(), agents: z.number().int().positive().optional() }))
      .default([])
      .describe("Objectives that their squad continues, with these additional resources, as far as they are left"),
    add: z.array(objectiveFor(squads)).default([]).describe("Objectives that turned out to be needed"),
    abort: z
      .array(z.object({ id: z.string(), reason: z.string() }))
      .default([])
      .describe("Objectives that are given up"),
  });
export type Verdict = z.infer<ReturnType<typeof verdictFor>>;

/** Checks the budget after each wave. Then the commander reads the reports of the squads and decides how the run continues. */
export function decide(setup: Setup): Node {
  return async (state, config) => {
    const { budget, limits, onFailures } = setup.contextOf(config);
    enforceBudget(state.ledger, budget);
    const wave = randomUUID();
    if (hasTooManyFailures(state, limits)) return { wave, question: null, finished: onFailures === "partial" };
    if (!isDue(state)) return { wave, question: null };
    const startedAt = Date.now();
    const spent: LedgerEntry[] = [];
    const schema = verdictFor(Object.keys(state.squads));
    const { tokens, dollars } = budgetLeft(state.ledger, budget);
    const input = { objectives: state.objectives.map(progressOf(state)), orders: state.orders, left: { tokens, dollars } };
    const question = { task: prompts.decide(taskOf(state)), input, schema, before: state.ledger, spent };
    const verdict = await askJudge(setup.team, question, config);
    report(config, "hierarchy", "decision", startedAt, { decision: verdict.decision, reason: verdict.reason });
    const mayAsk = onFailures === "ask" && state.orders.length < mostQuestions;
    return { wave, ledger: spent, ...changesOf(state, verdict, mayAsk) };
  };
}

/**
 * Tells whether the commander must decide now. A decision is due if a report asks for one, if a person has answered, or if the work may be
 * complete. Otherwise the next wave begins.
 */
function isDue(state: Commanded): boolean {
  const { question, reports, reviewed, additions } = state;
  if (question) return true;
  const unseen = Object.entries(reports).filter(([id]) => !reviewed.includes(id));
  if (unseen.some(([, { status, needs, escalations }]) => status !== "done" || needs.length + escalations.length > 0)) return true;
  return readySteps(state).length === 0 && additions < mostAdditions;
}

/** Describes an objective for the commander: its goal and its report. If there is no report yet, adds the status and the error. */
const progressOf =
  ({ reports, results }: Commanded) =>
  ({ dependsOn: _, ...objective }: Commanded["objectives"][number]) => {
    const { status, error = null } = results[objective.id] ?? {};
    return { ...objective, report: reports[objective.id] ?? null, ...(!reports[objective.id] && { status: status ?? "waiting", error }) };
  };

/** Asks a person the commander's question. This node calls no model, because each answer makes it run again from its beginning. */
export function askPerson(setup: Setup): Node {
  return ({ question, orders, reports }, config) => {
    const { prompt = "", options = [] } = question ?? {};
    const { askTimeoutSeconds: timeoutSeconds } = setup.contextOf(config);
    const answer = askAnswer(prompt, options.length > 1 ? options : undefined, { details: reports, timeoutSeconds }) ?? null;
    return { orders: [...orders, { question: prompt, answer }] };
  };
}

/** Returns the next node after `decide`: a question to a person, or the squads of the next wave. */
export const afterDecide = (setup: Setup) => (state: Commanded, config: Config) => {
  if (state.question) return "askPerson";
  if (!state.finished && hasTooManyFailures(state, setup.contextOf(config).limits)) return "askAboutFailures";
  return command(setup)(state, config);
};
