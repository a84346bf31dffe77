import { isObject } from "../../../parts/json-schema.ts";

export interface ToolCall {
  name: string;
  args: string;
}

/** A message that a model is writing, or that a node has added. */
export interface Message {
  id: string;
  /** The type of the message: "ai" or "tool". */
  type: string;
  /** The agent or the node that wrote the message. */
  from: string;
  /** The path of the task in which the message was written, including the tasks that contain this task. */
  place: string;
  text: string;
  calls: ToolCall[];
}

/** Returns the text of a message's content, which may be a text or a list of blocks. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((block: unknown) => (isObject(block) && typeof block.text === "string" ? block.text : "")).join("");
}

const textIn = (value: unknown) => (typeof value === "string" ? value : "");

/** Adds a piece of a message to the messages. Messages of people are left out, because the form shows them already. */
export function addPiece(messages: Map<string, Message>, data: unknown, place: string): void {
  const [piece, metadata] = Array.isArray(data) ? (data as unknown[]) : [];
  if (!isObject(piece)) return;
  const type = textIn(piece.type)
    .replace(/MessageChunk$/, "")
    .toLowerCase();
  if (type === "human" || type === "system" || type === "remove") return;
  const id = textIn(piece.id) || `${place}:${messages.size}`;
  const known = messages.get(id);
  const message = known ?? { id, type, from: fromOf(piece, metadata), place, text: "", calls: [] };
  if (!known) messages.set(id, message);
  message.text += textOf(piece.content);
  addCalls(message, piece);
}

function fromOf(piece: Record<string, unknown>, metadata: unknown): string {
  const { lc_agent_name: agent, langgraph_node: node } = isObject(metadata) ? metadata : {};
  return textIn(piece.name) || textIn(agent) || textIn(node);
}

function addCalls(message: Message, piece: Record<string, unknown>): void {
  const chunks = Array.isArray(piece.tool_call_chunks) ? piece.tool_call_chunks.filter(isObject) : [];
  for (const { index, name, args } of chunks) {
    const place = typeof index === "number" ? index : message.calls.length;
    const call = message.calls[place] ?? { name: "", args: "" };
    message.calls[place] = { name: call.name + textIn(name), args: call.args + textIn(args) };
  }
  if (chunks.length > 0 || message.calls.length > 0 || !Array.isArray(piece.tool_calls)) return;
  message.calls = piece.tool_calls.filter(isObject).map(({ name, args }) => ({ name: textIn(name), args: JSON.stringify(args ?? {}) }));
}

/** Returns the text of the last message in an output if a model wrote the message. Otherwise, returns undefined. */
export function lastTextOf(output: unknown): string | undefined {
  const messages = isObject(output) ? output.messages : undefined;
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  return isObject(last) && last.type === "ai" ? textOf(last.content) || undefined : undefined;
}
