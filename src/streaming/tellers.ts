import { z } from "zod";
import type { StreamMode } from "../runs/run.ts";
import type { Draft } from "./event.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { MessageTeller } from "./messages.ts";
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
export interface Telling {
  modes: StreamMode[];
  lifecycle: Lifecycle;
  messages: MessageTeller;
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

type Teller = (telling: Telling, namespace: string[], data: string) => Draft[];

/** How each kind of logged event is told. What has no teller is a classic client's affair. */
export const tellers = new Map<string, Teller>([
  ["values", tellValues],
  ["updates", tellUpdates],
  ["messages", tellMessage],
  ["messages/error", tellBrokenMessage],
  ["tasks", tellTask],
  ["checkpoints", tellCheckpoint],
  ["tools", tellTool],
  ["custom", (_telling, namespace, data) => [{ method: "custom", namespace, ...presentCustom(data) }]],
  ["debug", (_telling, namespace, data) => [{ method: "debug", namespace, data }]],
]);

function tellValues(telling: Telling, namespace: string[], data: string): Draft[] {
  if (noteQuestions(telling, namespace, data)) return [];
  const values: Draft = { method: "values", namespace, data: presentState(data) };
  if (!telling.modes.includes("checkpoints")) return [values];
  telling.held = values;
  return [];
}

function noteQuestions({ askedAt }: Telling, namespace: string[], data: string): boolean {
  const ids = questionsAsked(data);
  for (const id of ids ?? []) if (!askedAt.has(id)) askedAt.set(id, namespace);
  return ids !== undefined;
}

function tellUpdates(telling: Telling, namespace: string[], data: string): Draft[] {
  if (noteQuestions(telling, namespace, data)) return [];
  const changes = updatesIn(data);
  telling.updated = { namespace: namespace.join("|"), nodes: changes.map(({ node }) => node) };
  const updates = changes.flatMap(({ node, data: delta }) => [
    { method: "updates" as const, namespace, node, data: delta },
    ...(telling.modes.includes("tasks") ? [] : finishNode(telling, namespace, node)),
  ]);
  return [...telling.messages.finishNamed(namespace, data), ...updates];
}

/** A run that logs no tasks says by its updates that a node is done. */
function finishNode({ lifecycle, messages }: Telling, namespace: string[], node: string): Draft[] {
  const place = lifecycle.places.find(
    ({ namespace: below, status }) =>
      status === "started" &&
      below.length === namespace.length + 1 &&
      below.at(-1)?.startsWith(`${node}:`) &&
      namespace.every((segment, index) => segment === below[index]),
  );
  return place ? [...messages.finish(place.namespace), ...lifecycle.finish(place.namespace, "completed")] : [];
}

function tellMessage({ lifecycle, messages }: Telling, loggedAt: string[], data: string): Draft[] {
  const { namespace, drafts } = messages.onTuple(data, loggedAt);
  return drafts.length > 0 ? [...lifecycle.at(namespace), ...drafts] : [];
}

function tellBrokenMessage({ messages }: Telling, namespace: string[], data: string): Draft[] {
  const { id, message } = BrokenMessage.parse(JSON.parse(data));
  return messages.breakOff(namespace, message, id);
}

function tellTask(telling: Telling, namespace: string[], data: string): Draft[] {
  const task = readTask(data);
  const told: Draft = { method: "tasks", namespace, data: presentState(data) };
  if (!task) return [told];
  if (!task.finished) {
    telling.lifecycle.identify({ namespace, agentName: task.agentName });
    telling.lifecycle.identify({ namespace: [...namespace, task.segment], toolCallId: task.toolCallId });
  }
  const drafts = task.finished ? finishTask(telling, namespace, task, told) : [told];
  telling.updated = undefined;
  return drafts;
}

/**
 * Tells that a task is done, with what was said in it before and its place after. A task that asks keeps its place until the run has
 * ended: an answer that comes before would be refused.
 */
function finishTask(telling: Telling, namespace: string[], task: TaskFacts, told: Draft): Draft[] {
  const { lifecycle, messages } = telling;
  const place = [...namespace, task.segment];
  if (task.asked) return [...messages.finish(place), told];
  const end = endOf(telling, namespace, task);
  if (end === undefined) return [told]; // the end of the run will say
  const said = end === "completed" ? messages.finish(place) : messages.breakOff(place, "The node failed before this was complete.");
  return [...said, told, ...lifecycle.finish(place, end)];
}

/** Returns how a task ended. One without a change said so in its updates just before, or failed. Without updates in the log nobody knows. */
function endOf({ modes, updated }: Telling, namespace: string[], { name, changed }: TaskFacts): "completed" | "failed" | undefined {
  const saidSo = updated?.namespace === namespace.join("|") && (updated.nodes.length === 0 || updated.nodes.includes(name));
  if (changed || saidSo) return "completed";
  return modes.includes("updates") ? "failed" : undefined;
}

function tellCheckpoint(telling: Telling, namespace: string[], data: string): Draft[] {
  const checkpoint = presentCheckpoint(data);
  if (!checkpoint) return releaseValues(telling);
  telling.lifecycle.identify({ namespace, agentName: checkpoint.agentName });
  const told: Draft = { method: "checkpoints", namespace, data: checkpoint.data };
  const isForHeld = telling.held?.namespace.join("|") === namespace.join("|");
  return isForHeld ? [told, ...releaseValues(telling)] : [...releaseValues(telling), told];
}

export function releaseValues(telling: Telling): Draft[] {
  const values = telling.held;
  telling.held = undefined;
  return values ? [values] : [];
}

function tellTool({ openTools }: Telling, namespace: string[], data: string): Draft[] {
  const tool = presentTool(data);
  if (!tool) return [];
  if (tool.over) openTools.delete(tool.callId);
  else openTools.set(tool.callId, namespace);
  return [{ method: "tools", namespace, data: tool.data }];
}
