/** The stored results of a run's side effects. The service passes this object in the run's `configurable`. */
export interface EffectMemory {
  runId: string;
  durability: string;
  find(taskId: string, name: string): Promise<string | undefined>;
  store(taskId: string, name: string, result: string): Promise<void>;
}

/**
 * Returns the stored effects of a run, and the id of the current task. Returns undefined outside the service. Also returns undefined if the
 * run's durability is not `sync`. Its tasks get new ids in a retry, so the effects of the first try would not be found.
 */
export function effectsOf(configurable: Record<string, unknown> = {}): { memory: EffectMemory; taskId: string } | undefined {
  const memory = configurable.__ensemble_effects as EffectMemory | undefined;
  const taskId = configurable.__pregel_task_id;
  return memory?.durability === "sync" && typeof taskId === "string" ? { memory, taskId } : undefined;
}
