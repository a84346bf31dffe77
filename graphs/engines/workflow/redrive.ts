import { Command, type LangGraphRunnableConfig, Overwrite } from "@langchain/langgraph";
import type { WorkflowValues } from "./state.ts";

/** The key of a run's metadata that names the redriven dead letter. The service sets the key. */
const letterKey = "dead_letter_id";

/** Returns the id of the run in which a node is called. Null outside the service. */
export function runOf({ configurable = {} }: LangGraphRunnableConfig): string | null {
  return typeof configurable.run_id === "string" ? configurable.run_id : null;
}

/**
 * Returns the command with which a redriven run tries the failed steps again, once. Without it, the run would continue at its end and fail in
 * the same way. A failed step stays as it is if a later step has succeeded without it. Returns undefined if there is nothing to try again.
 */
export function retryFailures(values: WorkflowValues, config: LangGraphRunnableConfig): Command | undefined {
  const run = runOf(config);
  if (run === null || values.run === run || values.accepted || typeof config.metadata?.[letterKey] !== "string") return undefined;
  const { steps, results } = values;
  const isSuccess = (id: string) => results[id]?.status === "success";
  const isPassed = (id: string) => steps.some((step) => step.needs.includes(id) && isSuccess(step.id));
  const kept = Object.entries(results).filter(([id]) => isSuccess(id) || isPassed(id));
  if (kept.length === Object.keys(results).length) return undefined;
  return new Command({ goto: "settle", update: { run, results: new Overwrite(Object.fromEntries(kept)) } });
}
