import type { Facts } from "ensemble/patterns";
import { findingsIn } from "./conflicts.ts";
import type { Supervised } from "./state.ts";

type Values = Pick<Supervised, "steps" | "results" | "spans" | "settlements">;

/**
 * Returns the tasks, findings and contradictions of a run, for its metrics. A step with a cached result has no times, so the metrics leave
 * it out.
 */
export function factsOf({ steps, results, spans, settlements }: Values): Facts {
  const tasks = steps.flatMap(({ id, dependsOn: needs }) => {
    const { status, tries = 1 } = results[id] ?? {};
    const span = spans[id];
    return span ? [{ id, needs, span, isDone: status === "success", tries }] : [];
  });
  const findings = Object.values(results).flatMap(({ work }) => findingsIn(work)).length;
  return { ...(tasks.length > 0 && { tasks }), findings, conflicts: settlements.length };
}
