import { z } from "zod";

/** A piece of a message, as one token chunk carries it. Pieces with the same key make one content block. */
export interface Piece {
  key: string;
  /** The block with nothing in it, as its start tells it. */
  empty: Block;
  /** What to append, by the field it goes to; absent for blocks that come whole. */
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

/** A message as the log has it, flat. */
export const LoggedMessage = z.object({
  id: z.string().nullish(),
  type: z.string(),
  content: z.unknown().optional(),
  tool_calls: z.array(z.unknown()).optional(),
  tool_call_chunks: z.array(z.unknown()).optional(),
  additional_kwargs: z.record(z.string(), z.unknown()).optional(),
  response_metadata: z.record(z.string(), z.unknown()).optional(),
  usage_metadata: z.record(z.string(), z.unknown()).nullish(),
});
export type LoggedMessage = z.output<typeof LoggedMessage>;

/** Kinds of content that say in a provider's words what stands in tool_calls too. */
const toolContent = new Set(["tool_use", "input_json_delta", "tool_call", "tool_call_chunk", "function_call"]);

/** The pieces of a token chunk. */
export function piecesOf({ content, additional_kwargs, tool_call_chunks = [] }: LoggedMessage): Piece[] {
  const reasoning = additional_kwargs?.reasoning_content;
  return [
    ...(typeof reasoning === "string" ? reasoningPiece("reasoning", reasoning) : []),
    ...contentPieces(content),
    ...tool_call_chunks.flatMap((chunk, position) => toolPiece(chunk, position)),
  ];
}

/** The pieces of a message that is there as a whole. */
export function wholePiecesOf({ content, tool_calls = [] }: LoggedMessage): Piece[] {
  const calls = toolCallsIn(tool_calls).map((call, index) => ({ key: `call ${index}`, empty: call }));
  return [...contentPieces(content), ...calls];
}

/** What a model said in one text, as blocks. */
export function blocksOf(content: string, toolCalls: unknown[]): Block[] {
  return [...(content === "" ? [] : [{ type: "text", text: content }]), ...toolCallsIn(toolCalls)];
}

function toolCallsIn(toolCalls: unknown[]): Block[] {
  const calls = toolCalls.flatMap((call) => ToolCall.safeParse(call).data ?? []);
  return calls.map(({ id = null, name, args }) => ({ type: "tool_call", id, name, args }));
}

function contentPieces(content: unknown): Piece[] {
  if (typeof content === "string") return textPiece("text", content);
  if (!Array.isArray(content)) return [];
  return content.flatMap((raw) => {
    const part = Part.safeParse(raw).data;
    if (!part || toolContent.has(part.type)) return [];
    const key = `${part.type} ${part.index ?? ""}`;
    if (typeof part.text === "string" && part.type === "text") return textPiece(key, part.text);
    if (part.type === "reasoning" || part.type === "thinking") return reasoningPiece(key, String(part.reasoning ?? part.thinking ?? ""));
    return [{ key, empty: part }];
  });
}

function textPiece(key: string, text: string): Piece[] {
  return text === "" ? [] : [{ key, empty: { type: "text", text: "" }, append: { field: "text", text } }];
}

function reasoningPiece(key: string, text: string): Piece[] {
  return text === "" ? [] : [{ key, empty: { type: "reasoning", reasoning: "" }, append: { field: "reasoning", text } }];
}

function toolPiece(raw: unknown, position: number): Piece[] {
  const chunk = ToolCallChunk.safeParse(raw).data;
  if (!chunk) return [];
  const { id = null, name = null, args } = chunk;
  const append = { field: "args" as const, text: args ?? "", id: id ?? undefined, name: name ?? undefined };
  return [{ key: `tool ${chunk.index ?? position}`, empty: { type: "tool_call_chunk", id, name, args: "" }, append }];
}

/** A block as its finish tells it: the arguments of a tool call are read, and what cannot be read is said to be so. */
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
