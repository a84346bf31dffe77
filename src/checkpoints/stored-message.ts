import {
  AIMessage,
  AIMessageChunk,
  type BaseMessage,
  ChatMessage,
  HumanMessage,
  RemoveMessage,
  SystemMessage,
  ToolMessage,
} from "@langchain/core/messages";
import { z } from "zod";

/** The constructors of messages, by the class name in the stored message. */
const makers: Record<string, (fields: never) => BaseMessage> = {
  HumanMessage: (fields) => new HumanMessage(fields),
  AIMessage: (fields) => new AIMessage(fields),
  AIMessageChunk: (fields) => new AIMessageChunk(fields),
  SystemMessage: (fields) => new SystemMessage(fields),
  ToolMessage: (fields) => new ToolMessage(fields),
  ChatMessage: (fields) => new ChatMessage(fields),
  RemoveMessage: (fields) => new RemoveMessage(fields),
};

/**
 * The fields of a stored message that have the same names as the arguments of the message's constructor. LangGraph's serializer, which is
 * slower, reads the messages that have any other field.
 */
export const plainFields = new Set([
  "content",
  "id",
  "name",
  "role",
  "status",
  "artifact",
  "additional_kwargs",
  "response_metadata",
  "tool_calls",
  "invalid_tool_calls",
  "tool_call_chunks",
  "tool_call_id",
  "usage_metadata",
]);

const Stored = z.object({
  lc: z.literal(1),
  type: z.literal("constructor"),
  id: z.tuple([z.literal("langchain_core"), z.literal("messages"), z.string()]),
  kwargs: z.record(z.string(), z.unknown()),
});

/**
 * Returns the message in a stored JSON value. Returns undefined if the value is no message, or if its class, its fields or its content are
 * unusual. LangGraph's serializer, which is slower, then reads the value.
 */
export function messageFrom(value: object): BaseMessage | undefined {
  const { lc, type, id, kwargs } = value as Partial<z.infer<typeof Stored>>;
  if (lc !== 1 || type !== "constructor" || !Array.isArray(id) || id[0] !== "langchain_core" || id[1] !== "messages" || id.length !== 3)
    return undefined;
  const make = Object.hasOwn(makers, String(id[2])) ? makers[String(id[2])] : undefined;
  if (!make || typeof kwargs !== "object" || kwargs === null || typeof kwargs.content === "undefined") return undefined;
  const fields = Object.entries(kwargs).filter(([, content]) => !isUndefined(content));
  if (fields.some(([field, content]) => !plainFields.has(field) || holdsSerialised(content))) return undefined;
  try {
    return make(Object.fromEntries(fields) as never);
  } catch {
    return undefined;
  }
}

/** Tells whether LangGraph's serializer stored this field as undefined. The serializer has a special form for undefined. */
function isUndefined(value: unknown): boolean {
  return typeof value === "object" && value !== null && "lc" in value && value.lc === 2 && "type" in value && value.type === "undefined";
}

function holdsSerialised(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "lc") || Object.values(value).some(holdsSerialised);
}
