import { isObject } from "../../parts/json-schema.ts";

/** A tool call. Its result is undefined until the tool has returned. */
export interface ToolUse {
  id: string;
  name: string;
  args: unknown;
  result: string | undefined;
  isFailed: boolean;
}

/** A part of a message that is not text, such as a picture. The page never loads the content. */
export interface Attachment {
  label: string;
  /** The address of the attachment, if it is an http or https URL. If undefined, the label is shown without a link. */
  link: string | undefined;
}

/** A message in the form in which the page shows it. */
export interface Shown {
  key: string;
  role: "human" | "ai" | "system" | "tool";
  /** The name of the speaker, such as the name of an agent. Undefined if the message has no name. */
  name: string | undefined;
  text: string;
  reasoning: string;
  attachments: Attachment[];
  tools: ToolUse[];
}

type Raw = Record<string, unknown>;

/** Returns the messages of a state. Returns undefined if the state is not a conversation. */
export function messagesIn(values: unknown): unknown[] | undefined {
  const messages = isObject(values) ? values.messages : undefined;
  if (!Array.isArray(messages)) return undefined;
  return messages.every((message) => isObject(message) && typeof message.type === "string" && "content" in message) ? messages : undefined;
}

/** Converts messages of a state or a stream for the page. The result of a tool is added to the call that requested it. */
export function readMessages(messages: unknown[]): Shown[] {
  const raw = messages.filter(isObject).map(plainOf);
  const calls = new Set(raw.flatMap((message) => callsOf(message).map(({ id }) => id)));
  const results = new Map(raw.filter(({ type }) => type === "tool").map((message) => [String(message.tool_call_id), message]));
  return raw
    .filter(({ type, tool_call_id }) => type !== "tool" || !calls.has(String(tool_call_id)))
    .map((message, index) => read(message, index, results));
}

/** Returns a streamed message as a plain object. Streamed messages are instances of classes, which return their type by a method. */
function plainOf(message: Raw): Raw {
  const { getType } = message;
  return typeof getType === "function" ? Object.assign(Object.create(message) as Raw, { type: getType.call(message) }) : message;
}

const callsOf = ({ tool_calls: calls }: Raw) =>
  Array.isArray(calls) ? calls.filter(isObject).map((call) => ({ id: String(call.id), name: String(call.name), args: call.args })) : [];

const roles: Record<string, Shown["role"]> = { human: "human", user: "human", ai: "ai", assistant: "ai", system: "system", tool: "tool" };

function read(message: Raw, index: number, results: Map<string, Raw>): Shown {
  const blocks = blocksOf(message.content);
  const tools = callsOf(message).map((call) => {
    const result = results.get(call.id);
    return { ...call, result: result && textIn(blocksOf(result.content)), isFailed: result?.status === "error" };
  });
  return {
    key: typeof message.id === "string" ? message.id : `${index}`,
    role:
      roles[
        String(message.type)
          .replace(/chunk$/i, "")
          .replace(/message$/i, "")
          .toLowerCase()
      ] ?? "ai",
    name: typeof message.name === "string" ? message.name : undefined,
    text: textIn(blocks),
    reasoning: blocks
      .map(({ type, thinking, reasoning }) => (type === "thinking" || type === "reasoning" ? String(thinking ?? reasoning ?? "") : ""))
      .join(""),
    attachments: blocks.filter(({ type }) => !known.has(String(type))).map(toAttachment),
    tools,
  };
}

/** The types of content blocks that are not attachments, such as texts, thoughts and tool calls. */
const known = new Set([
  "text",
  "thinking",
  "reasoning",
  "redacted_thinking",
  "tool_use",
  "tool_call",
  "tool_call_chunk",
  "input_json_delta",
  "invalid_tool_call",
]);

function blocksOf(content: unknown): Raw[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  if (Array.isArray(content))
    return content.flatMap((block) => (typeof block === "string" ? [{ type: "text", text: block }] : isObject(block) ? [block] : []));
  return content === null || content === undefined ? [] : [{ type: "text", text: JSON.stringify(content, null, 2) }];
}

const textIn = (blocks: Raw[]) => blocks.map(({ type, text }) => (type === "text" ? String(text ?? "") : "")).join("");

function toAttachment(block: Raw): Attachment {
  const inside = isObject(block.image_url) ? block.image_url.url : (block.url ?? block.image_url);
  const link = typeof inside === "string" && /^https?:\/\//i.test(inside) ? inside : undefined;
  const name = [block.filename, block.name, block.title].find((one) => typeof one === "string");
  const kind = String(block.type ?? "attachment")
    .replaceAll("_", " ")
    .replace(" url", "");
  const media = typeof block.mime_type === "string" ? ` (${block.mime_type})` : "";
  return { label: `${kind}${name ? `: ${String(name)}` : ""}${media}`, link };
}
