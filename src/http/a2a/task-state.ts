import { type Message, type Part, Role, type Task, TaskState, type TaskStatus } from "@a2a-js/sdk";
import type { TaskPhase, TaskRun } from "../../runs/tasks.ts";
import { questionsIn } from "../../threads/questions.ts";
import { dataPart, textPart } from "./parts.ts";

const states: Record<TaskPhase, TaskState> = {
  submitted: TaskState.TASK_STATE_SUBMITTED,
  working: TaskState.TASK_STATE_WORKING,
  completed: TaskState.TASK_STATE_COMPLETED,
  failed: TaskState.TASK_STATE_FAILED,
  canceled: TaskState.TASK_STATE_CANCELED,
  waiting: TaskState.TASK_STATE_INPUT_REQUIRED,
};

const phaseOfStatus: Record<TaskRun["status"], TaskPhase> = {
  pending: "submitted",
  running: "working",
  success: "completed",
  error: "failed",
  timeout: "failed",
  interrupted: "canceled",
};

/** Returns the phase of a task. A task whose run asked a question counts as canceled once nobody can answer the question any more. */
export function phaseOf({ status, interrupts, asked }: TaskRun): TaskPhase {
  if (interrupts !== null) return "waiting";
  return asked ? "canceled" : phaseOfStatus[status];
}

/** Tells whether a task has reached its end. */
export const isOver = (task: TaskRun): boolean => ["completed", "failed", "canceled"].includes(phaseOf(task));

/** Tells whether the task has an open run, so that it changes without a further message. */
export const isOpen = (task: TaskRun): boolean => ["submitted", "working"].includes(phaseOf(task));

/** Returns the phase that a state of the protocol corresponds to. Returns undefined for a state that this service never gives to a task. */
export function phaseFor(state: TaskState): TaskPhase | undefined {
  return (Object.keys(states) as TaskPhase[]).find((phase) => states[phase] === state);
}

/** Returns the status of a task, with the questions that are open or the reason why the task failed. */
export function statusOf(task: TaskRun): TaskStatus {
  const parts = wordsOf(task);
  const message = parts.length > 0 ? agentMessage(task, `${task.runId}-status`, parts) : undefined;
  return { state: states[phaseOf(task)], message, timestamp: task.updatedAt.toISOString() };
}

function wordsOf({ interrupts, error }: TaskRun): Part[] {
  if (error) return [textPart(error.message)];
  return questionsIn(interrupts).map(({ id, value, responseSchema }) => ({
    ...(typeof value === "string" ? textPart(value) : dataPart(value ?? null)),
    metadata: { interrupt_id: id, ...(responseSchema !== undefined && { response_schema: responseSchema }) },
  }));
}

/** Returns a message of the agent within a task. */
export const agentMessage = ({ taskId, threadId }: TaskRun, messageId: string, parts: Part[]): Message => ({
  messageId,
  contextId: threadId,
  taskId,
  role: Role.ROLE_AGENT,
  parts,
  metadata: undefined,
  extensions: [],
  referenceTaskIds: [],
});

/** Returns a task without its history and its artifacts. */
export const bareTask = (task: TaskRun): Task => ({
  id: task.taskId,
  contextId: task.threadId,
  status: statusOf(task),
  artifacts: [],
  history: [],
  metadata: undefined,
});
