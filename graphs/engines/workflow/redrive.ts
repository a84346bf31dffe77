import { Command, type LangGraphRunnableConfig, Overwrite } from "@langchain/langgraph";
import type { WorkflowValues } from "./state.ts";

/** The metadata key under which the service stores the id of the dead letter that a run redrives. */
const letterKey = "dead_letter_id";

/** Returns the id of the run in which a node is called, or null outside the service. */
export function runOf({ configurable = {} }: LangGraphRunnableConfig): string | null {
  return typeof configurable.run_id === "string" ? configurable.run_id : null;
}

/**
 * Returns the command that lets a redriven run try its failed steps once more. Without the command, the run would end immediately with the
 * same failure. A failed step is not tried again if a later step has succeeded in spite of the failure. Returns undefined if no step needs
 * another try.
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
