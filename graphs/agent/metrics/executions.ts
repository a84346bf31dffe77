import { getConfig, type LangGraphRunnableConfig } from "@langchain/langgraph";
import { boxOf } from "./call-box.ts";
import { type StallWatch, watchForStalls } from "./stalls.ts";

/** The state that the metrics keep while one process executes a run. */
export interface Execution {
  /** When the first answer of a person was read, in milliseconds since 1970. Undefined if no answer continued the run. */
  resumedAt: number | undefined;
  stalls: StallWatch;
}

/**
 * The state that the metrics keep for each execution. The key is an object that LangGraph keeps for one execution and its subgraphs, so the
 * entry is freed with the execution.
 */
const executions = new WeakMap<object, Execution>();

/**
 * Returns the metrics' state of the execution to which a config belongs. The first call for an execution creates this state, and decides
 * where all stall events of the execution go: to the `writer` of the config in that call.
 */
export function executionOf(config: Pick<LangGraphRunnableConfig, "control" | "writer" | "configurable"> | undefined): Execution {
  const key = config?.control;
  const known = key && executions.get(key);
  if (known) return known;
  const execution: Execution = { stalls: watchForStalls(config?.writer), resumedAt: boxOf(config)?.resumedAt };
  if (key) executions.set(key, execution);
  return execution;
}

/** Records the time at which a person's answer continues the run. The wait for the answer does not count as part of the run's duration. */
export function noteAnswer(): void {
  const execution = executionOf(getConfig());
  execution.resumedAt ??= Date.now();
}
