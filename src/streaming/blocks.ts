import { z } from "zod";

/** One addition to a content block of a message, from a token chunk. Pieces with the same key belong to the same block. */
export interface Piece {
  key: string;
  /** The block as the event for its start shows it, without the text of any piece. */
  empty: Block;
  /** The text to append to a field of the block. Undefined for a block that arrives as a whole. */
  append?: { field: "text" | "reasoning" | "args"; text: string; id?: string | undefined; name?: string | undefined };
}

export type Block = Record<string, unknown> & { type: string };

const Part = z.looseObject({ type: z.string(), index: z.union([z.number(), z.string()]).optional() });
const ToolCallChunk = z.object({
  id: z.string().nullish(),
  name: z.string().nullish(),
  args: z.string().nullish(),
  index: z.union([z.number(), z.string()]).nullish(),
});
const ToolCall = z.object({ id: z.string().nullish(), name: z.string(), args: z.unknown() });
const InvalidToolCall = z.looseObject({ id: z.string().nullish(), name: z.string().nullish(), args: z.string().nullish() });

/** A message, or a token chunk of a message, in the flat form that the log stores. */
export const LoggedMessage = z.object({
  id: z.string().nullish(),
  type: z.string(),
  content: z.unknown().optional(),
  tool_calls: z.array(z.unknown()).optional(),
  invalid_tool_calls: z.array(z.unknown()).optional().catch(undefined),
  tool_call_chunks: z.array(z.unknown()).optional(),
  additional_kwargs: z.record(z.string(), z.unknown()).optional(),
  response_metadata: z.record(z.string(), z.unknown()).optional(),
  usage_metadata: z.record(z.string(), z.unknown()).nullish(),
});
export type LoggedMessage = z.output<typeof LoggedMessage>;

/** The fields of a message from which its content blocks are made. */
export type MessageParts = Pick<LoggedMessage, "content" | "tool_calls" | "invalid_tool_calls" | "response_metadata">;

/**
 * The types of content parts that contain a tool call. The message's field `tool_calls` contains the same tool calls, so these parts are
 * left out.
 */
const toolContent = new Set(["tool_use", "input_json_delta", "tool_call", "tool_call_chunk", "function_call"]);

/** Returns the pieces of content blocks in a token chunk of a message. */
export function piecesOf({ content, additional_kwargs, tool_call_chunks = [] }: LoggedMessage): Piece[] {
  const reasoning = additional_kwargs?.reasoning_content;
  return [
    ...(typeof reasoning === "string" ? reasoningPiece("reasoning", reasoning) : []),
    ...contentPieces(content),
    ...tool_call_chunks.flatMap((chunk, position) => toolPiece(chunk, position)),
  ];
}

/** Returns the content blocks of a complete message, as pieces. */
export function wholePiecesOf(message: LoggedMessage): Piece[] {
  return blocksOf(message).flatMap((block, index) => {
    const key = `block ${index}`;
    if (block.type === "text" && typeof block.text === "string") return textPiece(key, block.text);
    if (block.type === "reasoning") return reasoningPiece(key, String(block.reasoning ?? ""), block);
    return [{ key, empty: block }];
  });
}

/**
 * Returns the content of a message as a list of content blocks. A message in LangChain's v1 format already has content blocks. In any other
 * message, the tool calls may be outside of the content, so they are added to the list.
 */
export function blocksOf({ content, tool_calls = [], invalid_tool_calls = [], response_metadata }: MessageParts): Block[] {
  if (Array.isArray(content) && response_metadata?.output_version === "v1") return partsOf(content);
  const calls = tool_calls.flatMap((call) => ToolCall.safeParse(call).data ?? []).map(toCallBlock);
  const inContent = partsOf(content).flatMap((part) => {
    if (toolContent.has(part.type)) return calls.filter(({ id }) => id !== null && id === part.id);
    return [toStandardBlock(part)];
  });
  const invalid = invalid_tool_calls.flatMap((call): Block[] => {
    const parsed = InvalidToolCall.safeParse(call).data;
    return parsed ? [{ ...parsed, type: "invalid_tool_call" }] : [];
  });
  const outsideContent = calls.filter((call) => !inContent.includes(call));
  return [...inContent, ...outsideContent, ...invalid];
}

const toCallBlock = ({ id = null, name, args }: z.output<typeof ToolCall>): Block => ({ type: "tool_call", id, name, args });

function partsOf(content: unknown): Block[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  if (!Array.isArray(content)) return [];
  return content.flatMap((part) => (typeof part === "string" ? { type: "text", text: part } : (Part.safeParse(part).data ?? [])));
}

/** Returns a content part as a standard block. If there is no standard form for the part, returns it as its provider sent it. */
function toStandardBlock(part: Block): Block {
  const { type, thinking, image_url: image, ...more } = part;
  if (type === "thinking") return { ...more, type: "reasoning", reasoning: String(thinking ?? "") };
  const url = typeof image === "string" ? image : Object(image).url;
  return type === "image_url" && typeof url === "string" ? { type: "image", url } : part;
}

function contentPieces(content: unknown): Piece[] {
  if (typeof content === "string") return textPiece("text", content);
  return partsOf(content).flatMap((part) => {
    if (toolContent.has(part.type)) return [];
    const key = `${part.type} ${part.index ?? ""}`;
    const block = toStandardBlock(part);
    if (block.type === "text" && typeof block.text === "string") return textPiece(key, block.text);
    if (block.type === "reasoning") return reasoningPiece(key, String(block.reasoning ?? ""));
    return [{ key, empty: block }];
  });
}

function textPiece(key: string, text: string): Piece[] {
  return text === "" ? [] : [{ key, empty: { type: "text", text: "" }, append: { field: "text", text } }];
}

function reasoningPiece(key: string, text: string, more: object = {}): Piece[] {
  return text === "" ? [] : [{ key, empty: { ...more, type: "reasoning", reasoning: "" }, append: { field: "reasoning", text } }];
}

function toolPiece(raw: unknown, position: number): Piece[] {
  const chunk = ToolCallChunk.safeParse(raw).data;
  if (!chunk) return [];
  const { id = null, name = null, args } = chunk;
  const append = { field: "args" as const, text: args ?? "", id: id ?? undefined, name: name ?? undefined };
  return [{ key: `tool ${chunk.index ?? position}`, empty: { type: "tool_call_chunk", id, name, args: "" }, append }];
}

/**
 * Tells whether a block is a tool call to which the stream may still add arguments. Several blocks can be in this state at the same time,
 * because some models stream parallel tool calls in turns.
 */
export function isOpenCall(block: Block): boolean {
  if (block.type !== "tool_call_chunk") return false;
  const args = String(block.args);
  return !args.trimEnd().endsWith("}") || finishedBlock(block).type !== "tool_call";
}

/**
 * Returns a block in the form of its finish event. The arguments of a tool call are parsed. If they are not valid JSON, the block becomes
 * an invalid tool call.
 */
export function finishedBlock(block: Block): Block {
  if (block.type !== "tool_call_chunk") return block;
  const { id = null, name = null } = block;
  const args = typeof block.args === "string" ? block.args : "";
  try {
    return { type: "tool_call", id, name, args: JSON.parse(args === "" ? "{}" : args) };
  } catch {
    return { type: "invalid_tool_call", id, name, args, error: "The arguments are not JSON." };
  }
}
