import { Send } from "@langchain/langgraph";
import { budgetLeft } from "ensemble/patterns";
import type { Config, Setup } from "./context.ts";
import type { WorkStep } from "./plan.ts";
import { prompts } from "./prompts.ts";
import type { StepResult, Supervised } from "./state.ts";
import type { Errand } from "./work.ts";

/** The first try of an agent, and two more after failures. */
const mostTries = 3;

/** Sends out all steps that can begin now, up to the limit of parallel work. When none is left, the findings are reconciled. */
export const dispatch =
  (setup: Setup) =>
  (state: Supervised, config: Config): Send[] | "reconcile" => {
    const { limits, models, cache, budget } = setup.contextOf(config);
    const { results, roster, wave, advice, ledger } = state;
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
        stage,
        wave,
        budget: budgetLeft(ledger, budget),
      };
      return new Send(cache ? "recall" : "work", errand);
    });
  };

/** Returns the material of a step: the results that it depends on, the input, or both. A run without input has its task as material. */
function needsOf({ dependsOn, needsInput = dependsOn.length === 0 }: WorkStep, { results: all, input, task }: Supervised): unknown {
  const material = needsInput ? (input ?? task) : undefined;
  if (dependsOn.length === 0) return material;
  const results = Object.fromEntries(dependsOn.map((id) => [id, all[id]?.work]));
  return needsInput ? { results, input: material } : results;
}

/** Returns the steps that can begin: all that they depend on succeeded, and they were not tried or may be tried again. */
export function readySteps(state: Supervised): WorkStep[] {
  if (state.finished) return [];
  return state.steps.filter(
    ({ id, dependsOn }) => mayTry(id, state) && dependsOn.every((other) => state.results[other]?.status === "success"),
  );
}

/** Returns the steps that failed and are not tried again without a decision. */
export const failedSteps = (state: Supervised): WorkStep[] =>
  state.steps.filter(({ id }) => isFailure(state.results[id]) && !mayTry(id, state));

function mayTry(id: string, { results, again }: Supervised): boolean {
  const result = results[id];
  if (!result) return true;
  if (!isFailure(result)) return false;
  const tries = result.tries - (again[id] ?? 0); // another agent begins anew
  return tries === 0 || (!result.isFatal && tries < mostTries);
}

export const isFailure = (result: StepResult | undefined) => result?.status === "failed" || result?.status === "timeout";
