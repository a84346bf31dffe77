import type { LangGraphRunnableConfig } from "@langchain/langgraph";

/** The stored results of a run's side effects. The service puts this into the run's `configurable`. */
interface EffectMemory {
  runId: string;
  durability: string;
  find(taskId: string, name: string): Promise<string | undefined>;
  store(taskId: string, name: string, result: string): Promise<void>;
}

/**
 * Runs a side effect once for each task, as the function `effect` of the package does. A retried task gets the stored result. Patterns
 * cannot import that function, because it belongs to the server. Outside the server, and under a durability other than `sync`, the effect
 * always runs.
 */
export async function once<Result>(
  { configurable = {}, runId }: LangGraphRunnableConfig,
  name: string,
  work: (key: string) => Result | Promise<Result>,
): Promise<Result> {
  const memory: EffectMemory | undefined = configurable.__ensemble_effects;
  const taskId: unknown = configurable.__pregel_task_id;
  if (memory?.durability !== "sync" || typeof taskId !== "string") return work(`${String(runId ?? "no-run")}/${name}`);
  const known = await memory.find(taskId, name);
  if (known !== undefined) return JSON.parse(known);
  const result = await work(`${memory.runId}/${taskId}/${name}`);
  await memory.store(taskId, name, JSON.stringify(result ?? null));
  return result;
}
