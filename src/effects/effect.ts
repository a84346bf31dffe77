import type { RunnableConfig } from "@langchain/core/runnables";

/** Under this key of the configurable a node finds the memory of its run. */
export const effectMemoryKey = "__ensemble_effects";
/** LangGraph's own key for the task that a config belongs to. */
const taskIdKey = "__pregel_task_id";

/** What the worker puts into a run's configurable, so that `effect` can remember. */
export interface EffectMemory {
  runId: string;
  durability: "sync" | "async" | "exit";
  find(taskId: string, name: string): Promise<string | undefined>;
  store(taskId: string, name: string, result: string): Promise<void>;
}

/**
 * Does something outside at most once a task, as far as that can be known: the first completed result of that name is stored, and
 * returned whenever the task is tried again. If the process dies between the deed and the storing, `fn` is called again with the same
 * key: pass it on as an idempotency key, and the far end can tell. The result must be JSON. Outside an Ensemble run, `fn` is just called.
 */
export async function effect<Result>(config: RunnableConfig, name: string, fn: (key: string) => Result | Promise<Result>): Promise<Result> {
  const memory: EffectMemory | undefined = config.configurable?.[effectMemoryKey];
  const taskId: unknown = config.configurable?.[taskIdKey];
  if (!memory) return fn(`${String(config.runId ?? "no-run")}/${name}`);
  if (typeof taskId !== "string")
    throw new Error(`effect("${name}") was called outside a node: pass on the config that the node was given.`);
  if (memory.durability !== "sync") {
    throw new Error(`effect("${name}") needs durability "sync": under "${memory.durability}" a task that is tried again has another id.`);
  }
  const known = await memory.find(taskId, name);
  if (known !== undefined) return JSON.parse(known);
  const result = await fn(`${memory.runId}/${taskId}/${name}`);
  await memory.store(taskId, name, JSON.stringify(result ?? null));
  return result;
}
