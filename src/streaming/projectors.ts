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

/** What is known of a run while it is told. */
export interface Projecting {
  modes: StreamMode[];
  lifecycle: Lifecycle;
  messages: MessageProjector;
  /** Where each question was asked; the place nearest to it says so first. */
  askedAt: Map<string, string[]>;
  /** The tool calls that are being worked on, and where. */
  openTools: Map<string, string[]>;
  /** Where an update was told last, and of which nodes, while the task behind it is yet to be told. */
  updated: { namespace: string; nodes: string[] } | undefined;
  /** Values wait for their checkpoint, which is logged behind them and told before. */
  held: Draft | undefined;
  /** The ids of the questions that the run answers. */
  answers: string[];
}

const BrokenMessage = z.object({ id: z.string(), message: z.string() });

type Projector = (projecting: Projecting, namespace: string[], data: string) => Draft[];

/** How each kind of logged event is told. What has no teller is a classic client's affair. */
export const projectors = new Map<string, Projector>([
  ["values", projectValues],
  ["updates", projectUpdates],
  ["messages", projectMessage],
  ["messages/error", projectBrokenMessage],
  ["tasks", projectTask],
  ["checkpoints", projectCheckpoint],
  ["tools", projectTool],
  ["custom", (_telling, namespace, data) => [{ method: "custom", namespace, ...presentCustom(data) }]],
  ["debug", (_telling, namespace, data) => [{ method: "debug", namespace, data }]],
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

/** A run that logs no tasks says by its updates that a node is done. */
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
  const told: Draft = { method: "tasks", namespace, data: presentState(data) };
  if (!task) return [told];
  if (!task.finished) {
    projecting.lifecycle.identify({ namespace, agentName: task.agentName });
    projecting.lifecycle.identify({ namespace: [...namespace, task.segment], toolCallId: task.toolCallId });
  }
  const drafts = task.finished ? finishTask(projecting, namespace, task, told) : [told];
  projecting.updated = undefined;
  return drafts;
}

/**
 * Tells that a task is done, with what was said in it before and its place after. A task that asks keeps its place until the run has
 * ended: an answer that comes before would be refused.
 */
function finishTask(projecting: Projecting, namespace: string[], task: TaskFacts, told: Draft): Draft[] {
  const { lifecycle, messages } = projecting;
  const place = [...namespace, task.segment];
  if (task.asked) return [...messages.finish(place), told];
  const end = endOf(projecting, namespace, task);
  if (end === undefined) return [told]; // the end of the run will say
  const said = end === "completed" ? messages.finish(place) : messages.breakOff(place, "The node failed before this was complete.");
  return [...said, told, ...lifecycle.finish(place, end)];
}

/** Returns how a task ended. One without a change said so in its updates just before, or failed. Without updates in the log nobody knows. */
function endOf({ modes, updated }: Projecting, namespace: string[], { name, changed }: TaskFacts): "completed" | "failed" | undefined {
  const saidSo = updated?.namespace === namespace.join("|") && (updated.nodes.length === 0 || updated.nodes.includes(name));
  if (changed || saidSo) return "completed";
  return modes.includes("updates") ? "failed" : undefined;
}

function projectCheckpoint(projecting: Projecting, namespace: string[], data: string): Draft[] {
  const checkpoint = presentCheckpoint(data);
  if (!checkpoint) return releaseValues(projecting);
  projecting.lifecycle.identify({ namespace, agentName: checkpoint.agentName });
  const told: Draft = { method: "checkpoints", namespace, data: checkpoint.data };
  const isForHeld = projecting.held?.namespace.join("|") === namespace.join("|");
  return isForHeld ? [told, ...releaseValues(projecting)] : [...releaseValues(projecting), told];
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
