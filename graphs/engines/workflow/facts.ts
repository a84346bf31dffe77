import type { Facts } from "../../agent/metrics/run-metrics.ts";
import type { Span } from "../../agent/metrics/span.ts";
import type { WorkflowValues } from "./state.ts";
import type { Step } from "./step.ts";

type Values = Pick<WorkflowValues, "steps" | "results">;

/**
 * Returns the tasks of a workflow, for its metrics. Steps that did no work are left out. If a task needs such a step, the nearest earlier
 * steps that did work are listed in `needs` instead.
 */
export function factsOf({ steps, results }: Values): Facts {
  const tasks = steps.flatMap((step) => {
    const { span, status, tries } = results[step.id] ?? {};
    if (!span) return [];
    return [{ id: step.id, needs: workBefore(step, { steps, results }), span, isDone: status === "success", tries: tries ?? 1 }];
  });
  return { tasks };
}

/**
 * Returns when a step became ready. This is when the last work on which the step depends ended. A step that depends on no work became ready
 * together with the first step of the run. Returns undefined if no step of the run has worked yet.
 */
export function readyTime(step: Step, values: Values): number | undefined {
  const ends = workBefore(step, values).flatMap((id) => values.results[id]?.span?.endedAt ?? []);
  if (ends.length > 0) return Math.max(...ends);
  const known = Object.values(values.results).flatMap(({ span }): Span[] => (span ? [span] : []));
  return known.length === 0 ? undefined : Math.min(...known.map(({ readyAt }) => readyAt));
}

/**
 * Returns the nearest earlier steps that did work and that this step needs. Skipped steps and gates are passed over, because they do no
 * work.
 */
function workBefore({ needs }: Step, { steps, results }: Values): string[] {
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (ids: string[]): void => {
    for (const id of ids.filter((one) => !seen.has(one))) {
      seen.add(id);
      if (results[id]?.span) found.add(id);
      else visit(steps.find((step) => step.id === id)?.needs ?? []);
    }
  };
  visit(needs);
  return [...found];
}
