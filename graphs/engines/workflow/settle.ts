import { valueAt } from "../../agent/value-at.ts";
import { type Condition, type Conditions, evaluate, questionsIn, type Verdict } from "../conditions.ts";
import type { WorkflowValues } from "./state.ts";
import { type Decision, isFailed, notDone, type Step, type StepResult } from "./step.ts";

type Facts = Pick<WorkflowValues, "steps" | "results" | "path" | "answers" | "task" | "input">;

/** The results of skipped steps and of gates, and the decisions of conditions. They follow from earlier results, without any work. */
export interface Settlement {
  results: Record<string, StepResult>;
  path: Decision[];
}

/**
 * Decides all conditions that can be decided, and skips the steps that cannot run. A skipped step may allow further decisions, so the
 * function repeats both until nothing changes. Steps that need an answer from the judge are not changed.
 */
export function settleSteps(facts: Facts, conditions: Conditions): Settlement {
  const results: Settlement["results"] = {};
  const path: Decision[] = [];
  for (let changes = 1; changes > 0; ) {
    changes = 0;
    for (const step of facts.steps) {
      const now = { ...facts, results: { ...facts.results, ...results }, path: [...facts.path, ...path] };
      if (!isWaiting(step, now)) continue;
      const decision = isDecided(step, now) || !isInArm(step, now) ? undefined : decide(step, now, conditions);
      if (decision) path.push(decision);
      const result = resultWithoutWork(step, now, decision);
      if (result) results[step.id] = result;
      if (decision || result) changes++;
    }
  }
  return { results, path };
}

const conditionOf = ({ when, gate }: Step) => when ?? gate;
const decisionOf = ({ id }: Step, { path }: Facts) => path.find(({ step }) => step === id);
const isDecided = (step: Step, facts: Facts) => conditionOf(step) === undefined || decisionOf(step, facts) !== undefined;

/** Tells whether all gates on which a step depends have decided as the step needs. */
const isInArm = ({ arms = [] }: Step, { results }: Facts): boolean =>
  arms.every(({ gate, holds }) => results[gate]?.status === "success" && Object(results[gate]?.output).holds === holds);

/** Tells whether a step has not begun and all steps that it needs have ended. */
export const isWaiting = ({ id, needs }: Step, { results }: Facts): boolean => !results[id] && needs.every((need) => results[need]?.isOver);

function decide(step: Step, facts: Facts, conditions: Conditions): Decision | undefined {
  const condition = conditionOf(step);
  if (condition === undefined || unanswered(step, facts).length > 0) return undefined;
  const values = valuesOf(facts);
  const verdict: Verdict =
    "code" in condition
      ? { holds: conditions.get(condition.code)?.(values, condition.args) ?? false, seen: {}, missing: [] }
      : evaluate(condition, values, facts.answers[step.id]);
  return { step: step.id, ...verdict };
}

/** Returns the questions of a step that the judge must answer before the step can begin. */
export function unanswered(step: Step, facts: Facts): { ask: string; model?: string }[] {
  const condition = conditionOf(step);
  if (!condition || "code" in condition || isDecided(step, facts) || !isWaiting(step, facts) || !isInArm(step, facts)) return [];
  return questionsIn(condition as Condition).filter(({ ask }) => !facts.answers[step.id]?.[ask]);
}

function resultWithoutWork(step: Step, facts: Facts, decision = decisionOf(step, facts)): StepResult | undefined {
  if (!isInArm(step, facts)) return notDone("skipped", "The branch took another way.");
  if (step.gate !== undefined && decision) {
    return { ...notDone("skipped", ""), status: "success", error: null, output: { holds: decision.holds, seen: decision.seen } };
  }
  if (step.when !== undefined && decision && !decision.holds)
    return notDone("skipped", `Its condition does not hold: ${describe(step.when)}`);
  const blocking = step.needs.filter((need) => isBlocking(need, facts));
  const failed = step.collects ? undefined : blocking.find((need) => isFailed(facts.results[need]));
  if (failed !== undefined) return notDone("skipped", `It needs "${failed}", which failed.`);
  if (blocking.length > 0 && blocking.length === step.needs.length)
    return notDone("skipped", `It needs ${blocking.join(", ")}, which did not run.`);
  return undefined;
}

const describe = (condition: object) => ("code" in condition ? "a function of the code" : JSON.stringify(condition));

function isBlocking(id: string, { steps, results }: Facts): boolean {
  return results[id]?.status !== "success" && !steps.find((step) => step.id === id)?.passes;
}

/** Returns the steps that can begin now. */
export function readySteps(facts: Facts): Step[] {
  return facts.steps.filter((step) => {
    const result = facts.results[step.id];
    if (result) return !result.isOver && !result.isOpen;
    return isWaiting(step, facts) && step.gate === undefined && (step.when === undefined || decisionOf(step, facts)?.holds === true);
  });
}

/** Returns the values that conditions and paths read: the task, the input, and the result of each step by its id. */
export const valuesOf = ({ task, input, results }: Facts): Record<string, unknown> => ({ task, input, ...results });

/** Returns the input of a step: its fixed input, the values at its paths, or the outputs of the steps that it needs. */
export function inputOf(step: Step, facts: Facts): unknown {
  const { input: fixed, takes, needs } = step;
  if (fixed !== undefined) return fixed;
  if (typeof takes === "string") return valueFor(takes, facts);
  if (takes) return Object.fromEntries(takes.map((path) => [path, valueFor(path, facts)]));
  if (step.collects) return needs.filter((need) => facts.results[need]?.status === "success").map((need) => outputOf(need, facts));
  const [first, ...others] = needs;
  if (first === undefined) return facts.input ?? facts.task;
  if (others.length === 0) return outputOf(first, facts);
  return Object.fromEntries(needs.map((need) => [need, outputOf(need, facts)]));
}

/** Returns the value at a path. A path that is only the id of a step stands for that step's output. */
function valueFor(path: string, facts: Facts): unknown {
  return facts.steps.some(({ id }) => id === path) ? outputOf(path, facts) : (valueAt(valuesOf(facts), path) ?? null);
}

/**
 * Returns the output of a step. A gate passes its input on as its output. A step with `passes` also passes its input on if it did not
 * succeed.
 */
export function outputOf(id: string, facts: Facts): unknown {
  const step = facts.steps.find((one) => one.id === id);
  const result = facts.results[id];
  return step?.gate || (step?.passes && result?.status !== "success") ? inputOf(step, facts) : (result?.output ?? null);
}

/** Returns a copy of an object in which each `{ path: "…" }` is replaced by the value at that path. */
export function resolvePaths(value: unknown, facts: Facts): unknown {
  if (Array.isArray(value)) return value.map((item) => resolvePaths(item, facts));
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]?.[0] === "path" && typeof entries[0][1] === "string") return valueFor(entries[0][1], facts);
  return Object.fromEntries(entries.map(([key, inner]) => [key, resolvePaths(inner, facts)]));
}
