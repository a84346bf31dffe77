import { Send } from "@langchain/langgraph";
import { budgetLeft } from "ensemble/patterns";
import type { Config, Setup } from "./context.ts";
import type { WorkStep } from "./plan.ts";
import { prompts } from "./prompts.ts";
import type { StepResult, Supervised } from "./state.ts";
import type { Errand } from "./work.ts";

/** The maximum number of tries of a step: the first try, and two more after failures. */
const mostTries = 3;

/** Starts all steps that can begin now, up to the limit of parallel work. If no step is left, the findings are reconciled. */
export const dispatch =
  (setup: Setup) =>
  (state: Supervised, config: Config): Send[] | "reconcile" => {
    const { limits, models, cache, budget } = setup.contextOf(config);
    const { results, spans, roster, wave, advice, ledger } = state;
    const ready = readySteps(state);
    if (ready.length === 0) return "reconcile";
    return ready.slice(0, limits.parallel).map((step, stage) => {
      const { tries = 0, error } = results[step.id] ?? {};
      const errand: Errand = {
        step,
        agent: roster?.find(({ name }) => name === step.agent) ?? step.agent,
        model: models.worker,
        temperature: models.temperature,
        task: prompts.step(step.task, { advice, error }),
        needs: needsOf(step, state),
        advice,
        tries,
        before: spans[step.id],
        readyAt: readyTime(step, state),
        stage,
        wave,
        budget: budgetLeft(ledger, budget),
      };
      const isNode = typeof errand.agent === "string" && setup.nodes.includes(errand.agent);
      return new Send(cache ? "recall" : isNode ? step.agent : "work", errand);
    });
  };

/**
 * Returns the material of a step: the results of the steps that it depends on, the run's input, or both. In a run without input, the task
 * replaces the input.
 */
export function needsOf({ dependsOn, needsInput = dependsOn.length === 0 }: WorkStep, { results: all, input, task }: Supervised): unknown {
  const material = needsInput ? (input ?? task) : undefined;
  if (dependsOn.length === 0) return material;
  const results = Object.fromEntries(dependsOn.map((id) => [id, all[id]?.work]));
  return needsInput ? { results, input: material } : results;
}

/**
 * Returns when a step became ready. This is when the last step on which it depends ended. Returns undefined for a step that depends on no
 * other step.
 */
function readyTime({ dependsOn }: WorkStep, { spans }: Supervised): number | undefined {
  const ends = dependsOn.flatMap((id) => spans[id]?.endedAt ?? []);
  return ends.length === 0 ? undefined : Math.max(...ends);
}

/**
 * Returns the steps that can begin now. All their dependencies have succeeded. The steps themselves were not tried yet, or may be retried.
 */
export function readySteps(state: Supervised): WorkStep[] {
  if (state.finished) return [];
  return state.steps.filter(
    ({ id, dependsOn }) => mayTry(id, state) && dependsOn.every((other) => state.results[other]?.status === "success"),
  );
}

/** Returns the failed steps that can be retried only by a decision of the judge or of a person. */
export const failedSteps = (state: Supervised): WorkStep[] =>
  state.steps.filter(({ id }) => isFailure(state.results[id]) && !mayTry(id, state));

function mayTry(id: string, { results, again }: Supervised): boolean {
  const result = results[id];
  if (!result) return true;
  if (!isFailure(result)) return false;
  const tries = result.tries - (again[id] ?? 0); // after a reassignment, the tries are counted from zero again
  return tries === 0 || (!result.isFatal && tries < mostTries);
}

export const isFailure = (result: StepResult | undefined) => result?.status === "failed" || result?.status === "timeout";
