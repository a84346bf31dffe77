import { z } from "zod";
import type { StreamMode } from "../runs/run.ts";
import type { Draft } from "./event.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { MessageProjector } from "./messages.ts";
import {
  presentCheckpoint,
  presentCustom,
  presentState,
  presentTool,
  questionsAsked,
  readTask,
  type TaskFacts,
  updatesIn,
} from "./payloads.ts";

/** The state of the conversion of a run, which is kept from one logged event to the next. */
export interface Projecting {
  modes: StreamMode[];
  lifecycle: Lifecycle;
  messages: MessageProjector;
  /**
   * Maps the id of each question to the namespace of the graph that asked it. An outer graph reports the question again, after the inner
   * graph that asked it. The first namespace is therefore kept.
   */
  askedAt: Map<string, string[]>;
  /** The namespaces of the running tool calls, by the id of the call. */
  openTools: Map<string, string[]>;
  /**
   * The namespace and the nodes of the last update. The next event of a task uses them to find out whether the task has completed, and then
   * clears them.
   */
  updated: { namespace: string; nodes: string[] } | undefined;
  /**
   * A values event that waits for the event of its checkpoint. The log has the values before the checkpoint, but clients get the checkpoint
   * first. Undefined if no event waits.
   */
  held: Draft | undefined;
  /** The ids of the questions that the run answers. */
  answers: string[];
}

const BrokenMessage = z.object({ id: z.string(), message: z.string() });

type Projector = (projecting: Projecting, namespace: string[], data: string) => Draft[];

/**
 * The functions that convert logged events, by the mode of the event. Other events exist only for the classic stream, and have no
 * counterpart in the protocol.
 */
export const projectors = new Map<string, Projector>([
  ["values", projectValues],
  ["updates", projectUpdates],
  ["messages", projectMessage],
  ["messages/error", projectBrokenMessage],
  ["tasks", projectTask],
  ["checkpoints", projectCheckpoint],
  ["tools", projectTool],
  ["custom", (_projecting, namespace, data) => [{ method: "custom", namespace, ...presentCustom(data) }]],
  ["debug", (_projecting, namespace, data) => [{ method: "debug", namespace, data }]],
]);

function projectValues(projecting: Projecting, namespace: string[], data: string): Draft[] {
  if (noteQuestions(projecting, namespace, data)) return [];
  const values: Draft = { method: "values", namespace, data: presentState(data) };
  if (!projecting.modes.includes("checkpoints")) return [values];
  projecting.held = values;
  return [];
}

function noteQuestions({ askedAt }: Projecting, namespace: string[], data: string): boolean {
  const ids = questionsAsked(data);
  for (const id of ids ?? []) if (!askedAt.has(id)) askedAt.set(id, namespace);
  return ids !== undefined;
}

function projectUpdates(projecting: Projecting, namespace: string[], data: string): Draft[] {
  if (noteQuestions(projecting, namespace, data)) return [];
  const changes = updatesIn(data);
  projecting.updated = { namespace: namespace.join("|"), nodes: changes.map(({ node }) => node) };
  const updates = changes.flatMap(({ node, data: delta }) => [
    { method: "updates" as const, namespace, node, data: delta },
    ...(projecting.modes.includes("tasks") ? [] : finishNode(projecting, namespace, node)),
  ]);
  return [...projecting.messages.finishNamed(namespace, data), ...updates];
}

/**
 * Marks a node that has returned an update as completed, and finishes its messages. Call it only if the run does not log the mode `tasks`.
 * Otherwise, the event of the node's task does this.
 */
function finishNode({ lifecycle, messages }: Projecting, namespace: string[], node: string): Draft[] {
  const place = lifecycle.places.find(
    ({ namespace: below, status }) =>
      status === "started" &&
      below.length === namespace.length + 1 &&
      below.at(-1)?.startsWith(`${node}:`) &&
      namespace.every((segment, index) => segment === below[index]),
  );
  return place ? [...messages.finish(place.namespace), ...lifecycle.finish(place.namespace, "completed")] : [];
}

function projectMessage({ lifecycle, messages }: Projecting, loggedAt: string[], data: string): Draft[] {
  const { namespace, drafts } = messages.onTuple(data, loggedAt);
  return drafts.length > 0 ? [...lifecycle.at(namespace), ...drafts] : [];
}

function projectBrokenMessage({ messages }: Projecting, namespace: string[], data: string): Draft[] {
  const { id, message } = BrokenMessage.parse(JSON.parse(data));
  return messages.breakOff(namespace, message, id);
}

function projectTask(projecting: Projecting, namespace: string[], data: string): Draft[] {
  const task = readTask(data);
  const draft: Draft = { method: "tasks", namespace, data: presentState(data) };
  if (!task) return [draft];
  if (!task.finished) {
    projecting.lifecycle.identify({ namespace, agentName: task.agentName });
    projecting.lifecycle.identify({ namespace: [...namespace, task.segment], toolCallId: task.toolCallId });
  }
  const drafts = task.finished ? finishTask(projecting, namespace, task, draft) : [draft];
  projecting.updated = undefined;
  return drafts;
}

/**
 * Returns the drafts for a finished task: the ends of its messages, the task event, and the final status of its node. If the node has asked
 * a question, its final status is sent only at the end of the run. Clients send an answer as soon as they receive this status, but the
 * service refuses answers while the run is open.
 */
function finishTask(projecting: Projecting, namespace: string[], task: TaskFacts, draft: Draft): Draft[] {
  const { lifecycle, messages } = projecting;
  const place = [...namespace, task.segment];
  if (task.isInterrupted) return [...messages.finish(place), draft];
  const end = endOf(projecting, namespace, task);
  if (end === undefined) return [draft]; // the outcome of the task is known only at the run's end
  const messageEnds = end === "completed" ? messages.finish(place) : messages.breakOff(place, "The node failed before this was complete.");
  return [...messageEnds, draft, ...lifecycle.finish(place, end)];
}

/**
 * Returns whether a finished task has completed or failed. A task that changed the state has completed. Any other task has completed if the
 * update just before it names its node, and has failed otherwise. Returns undefined if this is unknown, because the run does not log
 * updates.
 */
function endOf({ modes, updated }: Projecting, namespace: string[], { name, changed }: TaskFacts): "completed" | "failed" | undefined {
  const isReported = updated?.namespace === namespace.join("|") && (updated.nodes.length === 0 || updated.nodes.includes(name));
  if (changed || isReported) return "completed";
  return modes.includes("updates") ? "failed" : undefined;
}

function projectCheckpoint(projecting: Projecting, namespace: string[], data: string): Draft[] {
  const checkpoint = presentCheckpoint(data);
  if (!checkpoint) return releaseValues(projecting);
  projecting.lifecycle.identify({ namespace, agentName: checkpoint.agentName });
  const draft: Draft = { method: "checkpoints", namespace, data: checkpoint.data };
  const isForHeld = projecting.held?.namespace.join("|") === namespace.join("|");
  return isForHeld ? [draft, ...releaseValues(projecting)] : [...releaseValues(projecting), draft];
}

export function releaseValues(projecting: Projecting): Draft[] {
  const values = projecting.held;
  projecting.held = undefined;
  return values ? [values] : [];
}

function projectTool({ openTools }: Projecting, namespace: string[], data: string): Draft[] {
  const tool = presentTool(data);
  if (!tool) return [];
  if (tool.over) openTools.delete(tool.callId);
  else openTools.set(tool.callId, namespace);
  return [{ method: "tools", namespace, data: tool.data }];
}
