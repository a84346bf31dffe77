import { randomUUID } from "node:crypto";
import { asText, enforceBudget, type LedgerEntry, report, taskOf } from "ensemble/patterns";
import { z } from "zod";
import type { Config, Setup } from "./context.ts";
import { dispatch, failedSteps, readySteps } from "./dispatch.ts";
import { askJudge, namesOf, teamOf } from "./judge.ts";
import { acceptable, stepFor, type WorkStep } from "./plan.ts";
import { prompts } from "./prompts.ts";
import type { Node, StepResult, Supervised } from "./state.ts";

const mostAdditions = 3;

const reviewFor = (names: string[]) =>
  z.object({
    decision: z.enum(["continue", "finish"]).describe("finish: no more work begins"),
    reason: z.string().describe("Reason of the decision"),
    reassign: z
      .array(z.object({ id: z.string(), agent: z.string().meta({ description: "Another agent", enum: names }) }))
      .default([])
      .describe("Failed steps that another agent tries"),
    add: z.array(stepFor(names)).default([]).describe("Steps that turned out to be needed"),
  });

type Verdict = z.infer<ReturnType<typeof reviewFor>>;

/** Checks the budget after each wave. The judge reviews failed steps, and the whole work when no step is left. */
export function review(setup: Setup): Node {
  return async (state, config) => {
    const { budget, limits, onFailures } = setup.contextOf(config);
    enforceBudget(state.ledger, budget);
    const wave = randomUUID();
    if (hasTooManyFailures(state, limits)) return { wave, finished: onFailures === "partial" };
    if (!isDue(state)) return { wave };
    const startedAt = Date.now();
    const names = namesOf(teamOf(setup, state.roster));
    const progress = state.steps.map(({ id, agent, task }) => ({ id, agent, task, ...shortly(state.results[id]) }));
    const spent: LedgerEntry[] = [];
    const question = { task: prompts.review(taskOf(state)), input: progress, schema: reviewFor(names), before: state.ledger, spent };
    const verdict = await askJudge(setup, question, config);
    report(config, "supervisor", "review", startedAt, { decision: verdict.decision, reason: verdict.reason });
    return { wave, ledger: spent, ...carriedOut(state, verdict, names) };
  };
}

/** Tells whether the judge must decide now. The judge must decide if it has not seen a failure yet, or if the work may be complete. */
function isDue(state: Supervised): boolean {
  if (failedSteps(state).some(({ id }) => !state.reviewed.includes(id))) return true;
  return readySteps(state).length === 0 && state.additions < mostAdditions;
}

/**
 * Returns the state update for the judge's decision. The update records the decision, with the changes that were made and those that were
 * refused.
 */
function carriedOut(state: Supervised, { decision, reason, reassign, add }: Verdict, names: string[]) {
  const failed = failedSteps(state).map(({ id }) => id);
  const moved = new Map(
    reassign
      .filter(({ id, agent }) => failed.includes(id) && !(id in state.again) && names.includes(agent))
      .map((one) => [one.id, one.agent]),
  );
  const { accepted, refused } = additionsOf(state, { decision, add }, names);
  const again = [...moved.keys()].map((id) => [id, state.results[id]?.tries ?? 0]);
  const record = { decision, reason, reassigned: [...moved.keys()], added: accepted.map(({ id }) => id), refused };
  return {
    steps: [...state.steps.map((step) => ({ ...step, agent: moved.get(step.id) ?? step.agent })), ...accepted],
    again: { ...state.again, ...Object.fromEntries(again) },
    reviewed: [...new Set([...state.reviewed, ...failed])],
    additions: state.additions + (accepted.length > 0 ? 1 : 0),
    finished: decision === "finish",
    reviews: [...state.reviews, record],
  };
}

function additionsOf({ steps, additions }: Supervised, { decision, add }: Pick<Verdict, "decision" | "add">, names: string[]) {
  const refuse = (why: string) => ({ accepted: [] as WorkStep[], refused: add.map(({ id, task }) => `${id} (${task}): ${why}`) });
  if (decision === "finish") return refuse("The judge ended the work.");
  if (additions >= mostAdditions) return refuse(`Steps were added ${mostAdditions} times, which is the limit.`);
  const known = steps.map(({ id }) => id);
  const { accepted, refused } = acceptable(add, names, known);
  return { accepted, refused: refused.map(({ step, text }) => `${step.id} (${step.task}): ${text}`) };
}

/** Returns the next node after `review`: a question to a person after too many failures, or the nodes of the next wave. */
export const afterReview = (setup: Setup) => (state: Supervised, config: Config) =>
  !state.finished && hasTooManyFailures(state, setup.contextOf(config).limits) ? "askAboutFailures" : dispatch(setup)(state, config);

export const hasTooManyFailures = (state: Supervised, { failures }: { failures: number }) => failedSteps(state).length >= failures;

const shortly = (result: StepResult | undefined) =>
  result ? { status: result.status, summary: summaryOf(result.work), error: result.error } : { status: "waiting" };

/** The maximum number of characters that the judge sees of a result without a summary. */
const longestExcerpt = 1_000;

function summaryOf(work: unknown): string | undefined {
  const { summary } = Object(work ?? {});
  if (typeof summary === "string") return summary;
  return work === null ? undefined : asText(work).slice(0, longestExcerpt);
}
