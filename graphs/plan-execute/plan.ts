import { asText, type Outcome } from "ensemble/patterns";
import { z } from "zod";

const mostSteps = 12;
const mostRevisions = 3;
const triesPerStep = 2;

const Planned = z.object({ description: z.string().trim().min(1).describe("What is to be done, in one sentence") });
type Planned = z.infer<typeof Planned>;

/** The schema of the plan in the planner's answer. */
export const Plan = z.object({ steps: z.array(Planned).min(1).max(mostSteps).describe("In the order in which they are done") });

/** A step of the plan, in the form in which the state stores it. */
export const Step = Planned.extend({
  status: z.enum(["pending", "done", "failed"]).describe("Status of the step"),
  tries: z.number().int().describe("Number of tries"),
  result: z.string().nullable().describe("Result of the step, or the reason why it failed"),
});
export type Step = z.infer<typeof Step>;

/** The record of a change of the plan. */
export const Revision = z.object({
  reason: z.string().describe("Reason of the change"),
  before: z.array(z.string()).describe("Remaining steps before the change"),
  after: z.array(z.string()).describe("Remaining steps after the change. If empty, the task is answered."),
});

const Decision = z.enum(["continue", "revise", "finish"]).describe("Go on as planned, change the steps that remain, or answer now");
const Reconsideration = z.object({
  decision: Decision,
  reason: z.string().min(1).describe("Reason of the decision"),
  steps: z.array(Planned).max(mostSteps).default([]).describe("With revise: the steps that remain from here on"),
});
export type Reconsideration = z.infer<typeof Reconsideration>;

export const ruleFor = (isForced: boolean): string =>
  isForced
    ? "A step has failed for good: change the steps that remain, or finish."
    : "Continue unless the results call for something else.";

/**
 * Returns the schema of the planner's decision. It contains only the decisions that are allowed. A plan may be revised at most three times.
 * If a step failed for good (`isForced`), the decision "continue" is not allowed while the plan may still be revised.
 */
export function reconsideration(isForced: boolean, revisions: number) {
  const mayRevise = revisions < mostRevisions;
  const kept = mayRevise ? (["continue", "revise", "finish"] as const) : (["continue", "finish"] as const);
  return Reconsideration.extend({ decision: Decision.extract(isForced && mayRevise ? ["revise", "finish"] : kept) });
}

export const pending = (steps: Planned[]): Step[] => steps.map((step) => ({ ...step, status: "pending", tries: 0, result: null }));

/** Returns the index of the next pending step, or -1 if there is none. */
export const nextIn = (plan: Step[]): number => plan.findIndex(({ status }) => status === "pending");

/**
 * Returns the state update for a decision of the planner. "continue" changes nothing. "revise" replaces the steps that are still pending.
 * "finish", or a revision without steps, ends the plan.
 */
export function change(plan: Step[], { decision, reason, steps }: Reconsideration) {
  if (decision === "continue") return {};
  const after = decision === "revise" ? pending(steps) : [];
  const past = plan.filter(({ status }) => status !== "pending");
  const revision = { reason, before: descriptionsOf(plan.slice(past.length)), after: descriptionsOf(after) };
  const enough = after.length === 0;
  return { enough, plan: enough ? plan : [...past, ...after], revisions: [revision] };
}

const descriptionsOf = (steps: Planned[]): string[] => steps.map(({ description }) => description);

/** Returns the descriptions and results of the steps that have this status. */
export const resultsOf = (plan: Step[], wanted: Step["status"]) =>
  plan.filter(({ status }) => status === wanted).map(({ description, result }) => ({ description, result }));

/**
 * Returns a step after a try. If the step's agent reached the limit of rounds, the step is not done. The step fails for good after its last
 * try, or if a retry would fail in the same way.
 */
export function tried(step: Step, outcome: Outcome): Step {
  const tries = step.tries + 1;
  if (outcome.status !== "success") {
    return { ...step, tries, status: outcome.isFatal || tries >= triesPerStep ? "failed" : "pending", result: outcome.error };
  }
  const result = asText(outcome.result);
  if (!outcome.stopped) return { ...step, tries, status: "done", result };
  const status = tries >= triesPerStep ? "failed" : "pending";
  return { ...step, tries, status, result: `Not done (${outcome.stopped}). So far: ${result}` };
}
