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
}

type Teller = (telling: Telling, namespace: string[], data: string) => Draft[];

/** How each kind of logged event is told. What has no teller is a classic client's affair. */
export const tellers = new Map<string, Teller>([
  ["values", tellValues],
  ["updates", tellUpdates],
  ["messages", tellMessage],
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

function tellTask(telling: Telling, namespace: string[], data: string): Draft[] {
  const task = readTask(data);
  const told: Draft = { method: "tasks", namespace, data: presentState(data) };
  if (!task) return [told];
  const below = [...namespace, task.segment];
  const { lifecycle, messages } = telling;
  if (!task.finished) {
    lifecycle.identify({ namespace, agentName: task.agentName });
    lifecycle.identify({ namespace: below, toolCallId: task.toolCallId });
  }
  const drafts = task.finished ? [...messages.finish(below), told, ...finishTask(telling, namespace, task)] : [told];
  telling.updated = undefined;
  return drafts;
}

/**
 * What stopped to ask stays open until the run has ended: an answer that comes before would be refused. One that changed nothing has
 * said so in its updates just before, or has failed; where updates are not logged, only the end of the run can tell.
 */
function finishTask({ lifecycle, modes, updated }: Telling, namespace: string[], { segment, name, asked, changed }: TaskFacts): Draft[] {
  if (asked) return [];
  const saidSo = updated?.namespace === namespace.join("|") && (updated.nodes.length === 0 || updated.nodes.includes(name));
  if (changed || saidSo) return lifecycle.finish([...namespace, segment], "completed");
  return modes.includes("updates") ? lifecycle.finish([...namespace, segment], "failed") : [];
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
