import { z } from "zod";
import { blocksOf, type MessageParts } from "./blocks.ts";

const Fields = z.record(z.string(), z.unknown());
const ToolEvent = z.object({
  event: z.string(),
  toolCallId: z.string().optional(),
  name: z.string().optional(),
  input: z.unknown().optional(),
  data: z.unknown().optional(),
  output: z.unknown().optional(),
  error: z.unknown().optional(),
});
const Named = z.looseObject({ name: z.string() });
const Envelope = z.object({
  id: z.string(),
  parent_id: z.string().optional(),
  step: z.number().optional(),
  source: z.string().optional(),
  agent_name: z.string().optional(),
});
/** A checkpoint in the full form that the classic stream sends. */
const Checkpoint = z.object({
  metadata: z.object({ step: z.number().optional(), source: z.string().optional() }),
  checkpoint: z.object({ checkpoint_id: z.string() }),
  parent_checkpoint: z.object({ checkpoint_id: z.string() }).nullish(),
  config: z.object({ metadata: Fields.optional() }).nullish(),
});
const Task = z.object({
  id: z.string(),
  name: z.string(),
  input: z.unknown().optional(),
  result: z.unknown().optional(),
  interrupts: z.array(z.unknown()).optional(),
  metadata: Fields.optional(),
});
const Interrupts = z.object({ __interrupt__: z.array(z.object({ id: z.string(), value: z.unknown().optional() })) });

/**
 * Converts the content of model messages to content blocks. `json` is the JSON text of a state or of a part of a state. A text without
 * model messages is returned unchanged.
 */
export function presentState(json: string): string {
  return json.includes('"type":"ai"') ? JSON.stringify(withBlocks(JSON.parse(json))) : json;
}

/** The nesting depth down to which model messages are converted. */
const deepest = 40;

/** Converts the model messages in a document. Changes the document in place, because no other code uses it. */
function withBlocks(value: unknown, depth = 0): unknown {
  if (typeof value !== "object" || value === null || depth > deepest) return value;
  for (const [key, child] of Object.entries(value)) {
    const changed = withBlocks(child, depth + 1);
    if (changed !== child) Object.defineProperty(value, key, { value: changed, enumerable: true });
  }
  if (!isModelMessage(value)) return value;
  return { ...value, content: blocksOf(value), response_metadata: { ...value.response_metadata, output_version: "v1" } };
}

interface ModelMessage extends MessageParts {
  response_metadata: Record<string, unknown>;
}

/**
 * Tells whether a value is a model message in its flat form. Checks all fields, so that a similar object of a graph is not mistaken for a
 * message.
 */
function isModelMessage(value: object): value is ModelMessage {
  if (!("type" in value && value.type === "ai" && "content" in value && "tool_calls" in value && "response_metadata" in value))
    return false;
  const { content, tool_calls, response_metadata: metadata } = value;
  const invalid = "invalid_tool_calls" in value ? value.invalid_tool_calls : [];
  const hasContent = typeof content === "string" || Array.isArray(content);
  return hasContent && Array.isArray(tool_calls) && Array.isArray(invalid) && typeof metadata === "object" && metadata !== null;
}

/** Returns the update of each node in an updates event, in the order of the nodes. */
export function updatesIn(json: string): { node: string; data: string }[] {
  const updates = Fields.safeParse(JSON.parse(json)).data ?? {};
  return Object.entries(updates)
    .filter(([node]) => !node.startsWith("__"))
    .map(([node, delta]) => ({ node, data: JSON.stringify(typeof delta === "object" && delta ? withBlocks(delta) : { value: delta }) }));
}

/**
 * Returns the ids of the questions that an event of the mode values or updates reports. Returns undefined if the event reports a state and
 * no questions.
 */
export function questionsAsked(json: string): string[] | undefined {
  if (!json.startsWith('{"__interrupt__":')) return undefined;
  return Interrupts.safeParse(JSON.parse(json)).data?.__interrupt__.map(({ id }) => id) ?? [];
}

export function questionsOf(interrupts: string | null): { id: string; value?: unknown }[] {
  return interrupts === null ? [] : (Interrupts.safeParse(JSON.parse(interrupts)).data?.__interrupt__ ?? []);
}

/** Returns the payload of a custom event. If the payload contains a name, clients receive the event on the channel with this name. */
export function presentCustom(json: string): { name?: string; data: string } {
  const named = json.startsWith("{") ? Named.safeParse(JSON.parse(json)).data : undefined;
  return named ? { name: named.name, data: json } : { data: `{"payload":${json}}` };
}

/**
 * Returns a checkpoint's ids, step and source as JSON text, without the checkpoint's values. Also returns the name of the agent that wrote
 * it, if any. Returns undefined if the event has an unknown form.
 */
export function presentCheckpoint(json: string): { data: string; agentName: string | undefined } | undefined {
  const document: unknown = JSON.parse(json);
  const envelope = Envelope.safeParse(document).data ?? toEnvelope(Checkpoint.safeParse(document).data);
  if (!envelope) return undefined;
  const { agent_name: agentName, ...data } = envelope;
  return { data: JSON.stringify(data), agentName };
}

function toEnvelope(checkpoint: z.output<typeof Checkpoint> | undefined): z.output<typeof Envelope> | undefined {
  if (!checkpoint) return undefined;
  const { metadata, checkpoint: at, parent_checkpoint: parent, config } = checkpoint;
  return { id: at.checkpoint_id, parent_id: parent?.checkpoint_id, ...metadata, agent_name: textOf(config?.metadata?.lc_agent_name) };
}

export interface TaskFacts {
  name: string;
  segment: string;
  finished: boolean;
  isInterrupted: boolean;
  /** True if the task changed the state of its graph. */
  changed: boolean;
  agentName: string | undefined;
  toolCallId: string | undefined;
}

export function readTask(json: string): TaskFacts | undefined {
  const document: unknown = JSON.parse(json);
  const task = Task.safeParse(document).data;
  if (!task) return undefined;
  return {
    name: task.name,
    segment: `${task.name}:${task.id}`,
    finished: "result" in Object(document),
    isInterrupted: (task.interrupts ?? []).length > 0,
    changed: Object.keys(Object(task.result)).length > 0,
    agentName: textOf(task.metadata?.lc_agent_name),
    toolCallId: textOf(Object(Object(task.input).tool_call).id),
  };
}

/**
 * Returns the protocol's payload for a tool event, the id of the tool call, and whether the call has ended. Returns undefined if the event
 * has an unknown form.
 */
export function presentTool(json: string): { data: string; callId: string; over: boolean } | undefined {
  const tool = ToolEvent.safeParse(JSON.parse(json)).data;
  const payload = tool && projectTool(tool);
  if (!payload) return undefined;
  const callId = tool.toolCallId ?? "";
  return {
    data: JSON.stringify({ ...payload, tool_call_id: callId }),
    callId,
    over: tool.event === "on_tool_end" || tool.event === "on_tool_error",
  };
}

function projectTool({ event, name, input, data, output, error }: z.output<typeof ToolEvent>) {
  switch (event) {
    case "on_tool_start":
      return { event: "tool-started", tool_name: name ?? "unknown", input };
    case "on_tool_event":
      return { event: "tool-output-delta", delta: typeof data === "string" ? data : (JSON.stringify(data) ?? "") };
    case "on_tool_end":
      return { event: "tool-finished", output };
    case "on_tool_error":
      return { event: "tool-error", message: textOf(Object(error).message) ?? textOf(error) ?? "The tool failed." };
    default:
      return undefined;
  }
}

const textOf = (value: unknown) => (typeof value === "string" ? value : undefined);
