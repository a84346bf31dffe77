import type { Run } from "../../runs/run.ts";

/** The minutes for which a task or a question is kept after its last change. */
export const keptMinutes = 24 * 60;
const pollIntervalMs = 1_000;

/** The fields that a task has in every status. */
export interface TaskFields {
  taskId: string;
  createdAt: string;
  lastUpdatedAt: string;
  ttlMs: number;
  pollIntervalMs: number;
}

/** Returns the fields of a task. A task is a thread, so its id is that of the thread. */
export function taskFields(threadId: string, createdAt: Date, updatedAt: Date): TaskFields {
  const age = updatedAt.getTime() - createdAt.getTime();
  const ttlMs = Math.max(age, 0) + keptMinutes * 60_000;
  return { taskId: threadId, createdAt: createdAt.toISOString(), lastUpdatedAt: updatedAt.toISOString(), ttlMs, pollIntervalMs };
}

/** Returns the result of a call that has become a task. */
export const newTask = ({ thread_id, created_at, updated_at }: Run) => ({
  resultType: "task",
  status: "working",
  ...taskFields(thread_id, created_at, updated_at),
});
