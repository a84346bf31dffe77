import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { effectsOf } from "../agent/effect-memory.ts";

/**
 * Runs a side effect once for each task, like the package's function `effect`. A retried task gets the stored result. Outside the service,
 * or with a durability other than `sync`, no result is stored, so a retried task repeats the side effect. Patterns cannot import `effect`,
 * because it belongs to the service.
 */
export async function once<Result>(
  { configurable, runId }: LangGraphRunnableConfig,
  name: string,
  work: (key: string) => Result | Promise<Result>,
): Promise<Result> {
  const effects = effectsOf(configurable);
  if (!effects) return work(`${String(runId ?? "no-run")}/${name}`);
  const { memory, taskId } = effects;
  const known = await memory.find(taskId, name);
  if (known !== undefined) return JSON.parse(known);
  const result = await work(`${memory.runId}/${taskId}/${name}`);
  await memory.store(taskId, name, JSON.stringify(result ?? null));
  return result;
}
