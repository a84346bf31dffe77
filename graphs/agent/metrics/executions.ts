import { getConfig, type LangGraphRunnableConfig } from "@langchain/langgraph";
import { boxOf } from "./call-box.ts";
import { type StallWatch, watchForStalls } from "./stalls.ts";

/** Notes on a run while one process executes it. */
export interface Execution {
  /** When the first answer of a person was read, in milliseconds since 1970. Undefined if no answer continued the run. */
  resumedAt: number | undefined;
  stalls: StallWatch;
}

/** The executions by an object that LangGraph keeps for one execution and its subgraphs. An entry is freed with its execution. */
const executions = new WeakMap<object, Execution>();

/** Returns the notes on the execution to which a config belongs. Events about stalls go to the writer of the first config. */
export function executionOf(config: Pick<LangGraphRunnableConfig, "control" | "writer" | "configurable"> | undefined): Execution {
  const key = config?.control;
  const known = key && executions.get(key);
  if (known) return known;
  const execution: Execution = { stalls: watchForStalls(config?.writer), resumedAt: boxOf(config)?.resumedAt };
  if (key) executions.set(key, execution);
  return execution;
}

/** Notes that a person's answer continues the run. The time until then is a pause, which is not part of the run's duration. */
export function noteAnswer(): void {
  const execution = executionOf(getConfig());
  execution.resumedAt ??= Date.now();
}
