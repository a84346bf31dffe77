import { type Artifact, type Message, type Part, Role, type Task } from "@a2a-js/sdk";
import { inputOfTask, type TaskRun } from "../../runs/tasks.ts";
import { findThread } from "../../threads/threads.ts";
import { alreadyDecided } from "../admission/access.ts";
import { runOutput } from "../sse/follow.ts";
import type { A2aCall } from "./a2a-call.ts";
import { dataPart, partsOf } from "./parts.ts";
import { agentMessage, bareTask, isOpen, phaseOf } from "./task-state.ts";

/** The parts of a task to return besides its status. */
export interface Wanted {
  /** The maximum number of messages. Undefined means all. */
  historyLength?: number | undefined;
  artifacts: boolean;
}

type Values = Record<string, unknown>;

/** Returns a task in the protocol's form. Does not check access, so pass only a task that the client may read. */
export async function toTask(call: A2aCall, task: TaskRun, { historyLength, artifacts }: Wanted): Promise<Task> {
  const bare = bareTask(task);
  const needsHistory = historyLength !== 0;
  if (!needsHistory && !(artifacts && phaseOf(task) === "completed")) return bare;
  const input = Object(await inputOfTask(call.deps.pool, task.taskId)) as Values;
  const values = isOpen(task) ? input : await valuesOf(call, task);
  const messages = messagesOfTask(values, input);
  const history = needsHistory ? messages.flatMap((message, index) => toMessage(task, message, index) ?? []) : [];
  return {
    ...bare,
    history: historyLength === undefined ? history : history.slice(Math.max(0, history.length - historyLength)),
    artifacts: artifacts && phaseOf(task) === "completed" ? artifactsOf(task, { values, messages, input }) : [],
  };
}

/**
 * Returns the values of a task that has no open run. For a completed task, these are the output of its run. For any other task, these are
 * the values of its thread.
 */
async function valuesOf({ deps, gone }: A2aCall, task: TaskRun): Promise<Values> {
  const { runId, threadId } = task;
  if (phaseOf(task) === "completed") {
    const output = await runOutput(deps, { scope: alreadyDecided, runId, threadId }, { signal: gone });
    return Object(JSON.parse(output ?? "{}"));
  }
  return Object((await findThread(deps.pool, alreadyDecided, threadId))?.values);
}

/** Returns the messages of a task: those of its input, and all later ones. The messages before the input belong to earlier tasks. */
function messagesOfTask({ messages }: Values, input: Values): Values[] {
  const all: Values[] = Array.isArray(messages) ? messages.map(Object) : [];
  const [first] = Array.isArray(input.messages) ? input.messages : [];
  const { id } = Object(first);
  const start = id === undefined ? -1 : all.findLastIndex((message) => message.id === id);
  return start < 0 ? all : all.slice(start);
}

const roles: Record<string, Role> = { human: Role.ROLE_USER, user: Role.ROLE_USER, ai: Role.ROLE_AGENT, assistant: Role.ROLE_AGENT };

/**
 * Returns a message of the thread in the protocol's form. Returns undefined for messages of tools, and for messages without a readable
 * part.
 */
function toMessage(task: TaskRun, message: Values, index: number): Message | undefined {
  const role = roles[String(message.type ?? message.role)];
  const parts = partsOf(message.content);
  if (role === undefined || parts.length === 0) return undefined;
  return { ...agentMessage(task, idOf(task, message, index), parts), role };
}

const idOf = ({ taskId }: TaskRun, { id }: Values, index: number) => (typeof id === "string" && id !== "" ? id : `${taskId}-${index}`);

/**
 * Returns the artifacts of a completed task. The agent's last message is one artifact. The other values are a second artifact if the task's
 * input had no messages, or if the agent has sent no content.
 */
function artifactsOf(task: TaskRun, { values, messages, input }: { values: Values; messages: Values[]; input: Values }): Artifact[] {
  const index = messages.findLastIndex((message) => roles[String(message.type ?? message.role)] === Role.ROLE_AGENT);
  const answer = messages[index];
  const parts = answer ? partsOf(answer.content) : [];
  const { messages: _, ...others } = values;
  const isTalk = parts.length > 0 && input.messages !== undefined;
  return [
    ...(answer && parts.length > 0 ? [artifact(idOf(task, answer, index), "answer", parts)] : []),
    ...(isTalk || Object.keys(others).length === 0 ? [] : [artifact(`${task.taskId}-values`, "values", [dataPart(others)])]),
  ];
}

export const artifact = (artifactId: string, name: string, parts: Part[]): Artifact => ({
  artifactId,
  name,
  description: "",
  parts,
  metadata: undefined,
  extensions: [],
});
