import type { RunnableConfig } from "@langchain/core/runnables";

/** The key of `configurable` under which nodes find the stored effects of their run. */
export const effectMemoryKey = "__ensemble_effects";
/** LangGraph's own key of `configurable` for the id of the current task. */
const taskIdKey = "__pregel_task_id";

/** The stored results of a run's effects. The worker puts this object into the run's `configurable`. */
export interface EffectMemory {
  runId: string;
  durability: "sync" | "async" | "exit";
  find(taskId: string, name: string): Promise<string | undefined>;
  store(taskId: string, name: string, result: string): Promise<void>;
}

/**
 * Runs a side effect of a task only once, as far as this is possible. Stores the first completed result under `name`, and returns this
 * result whenever the task is retried. The result must be JSON.
 *
 * If the process dies after the effect but before the result is stored, `fn` is called again with the same key. Pass this key to the other
 * system as an idempotency key, so that the other system can detect the repetition. Outside an Ensemble run, nothing is stored and `fn` is
 * always called.
 */
export async function effect<Result>(config: RunnableConfig, name: string, fn: (key: string) => Result | Promise<Result>): Promise<Result> {
  const memory: EffectMemory | undefined = config.configurable?.[effectMemoryKey];
  const taskId: unknown = config.configurable?.[taskIdKey];
  if (!memory) return fn(`${String(config.runId ?? "no-run")}/${name}`);
  if (typeof taskId !== "string") throw new Error(`effect("${name}") was called outside a node: pass the config that the node received.`);
  if (memory.durability !== "sync") {
    throw new Error(`effect("${name}") needs durability "sync": under "${memory.durability}" a retried task has another id.`);
  }
  const known = await memory.find(taskId, name);
  if (known !== undefined) return JSON.parse(known);
  const result = await fn(`${memory.runId}/${taskId}/${name}`);
  await memory.store(taskId, name, JSON.stringify(result ?? null));
  return result;
}
