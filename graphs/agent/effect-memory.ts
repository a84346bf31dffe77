/** The stored results of a run's side effects. The service puts this into the run's `configurable`. */
export interface EffectMemory {
  runId: string;
  durability: string;
  find(taskId: string, name: string): Promise<string | undefined>;
  store(taskId: string, name: string, result: string): Promise<void>;
}

/**
 * Returns the stored effects of a run, and the id of the task that is at work. Returns undefined outside the service. It also does under a
 * durability other than `sync`, because a retried task has another id there.
 */
export function effectsOf(configurable: Record<string, unknown> = {}): { memory: EffectMemory; taskId: string } | undefined {
  const memory = configurable.__ensemble_effects as EffectMemory | undefined;
  const taskId = configurable.__pregel_task_id;
  return memory?.durability === "sync" && typeof taskId === "string" ? { memory, taskId } : undefined;
}
