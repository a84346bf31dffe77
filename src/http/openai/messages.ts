import { z } from "zod";
import { Text } from "../schemas.ts";
import { refused } from "./errors.ts";

/** Text that Postgres can store. Only the size limit of the request's body limits the length of the text. */
const LongText = z
  .string()
  .refine((text) => !text.includes("\0") && text.isWellFormed(), "must not contain NUL characters or lone surrogates");

/** A part of a message's content, such as a text, an image or a file. All parts go to the graph unchanged. */
const Part = z.looseObject({ type: Text, text: LongText.optional() });

const ToolCall = z.object({ id: Text, type: z.literal("function").optional(), function: z.object({ name: Text, arguments: LongText }) });

/** A message in the form of OpenAI's chat completions. */
export const ChatMessage = z.object({
  role: z.enum(["system", "developer", "user", "assistant", "tool"]),
  content: z.union([LongText, z.array(Part)]).nullish(),
  name: Text.nullish(),
  tool_calls: z.array(ToolCall).nullish(),
  tool_call_id: Text.nullish(),
});

export type ChatMessage = z.output<typeof ChatMessage>;

/** The type of a graph's message for each role. */
const typeOfRole = { system: "system", developer: "system", user: "human", assistant: "ai", tool: "tool" } as const;

/** A message in the form that graphs accept. */
export interface GraphMessage {
  type: (typeof typeOfRole)[ChatMessage["role"]];
  content: unknown;
  name?: string;
  tool_calls?: { id: string; name: string; args: unknown; type: "tool_call" }[];
  tool_call_id?: string;
}

/** Converts OpenAI's messages to messages for a graph. */
export function toGraphMessages(messages: ChatMessage[]): GraphMessage[] {
  return messages.map((message, index) => toGraphMessage(message, `messages[${index}]`));
}

function toGraphMessage({ role, content, name, tool_calls, tool_call_id }: ChatMessage, path: string): GraphMessage {
  if (role === "tool" && !tool_call_id) throw refused(`${path}.tool_call_id`, "a tool message must name the call that it answers");
  if (role !== "assistant" && (content === null || content === undefined)) throw refused(`${path}.content`, "the message has no content");
  return {
    type: typeOfRole[role],
    content: content ?? "",
    ...(name && { name }),
    ...(role === "tool" && tool_call_id && { tool_call_id }),
    ...(role === "assistant" &&
      tool_calls?.length && { tool_calls: tool_calls.map((call, at) => toCall(call, `${path}.tool_calls[${at}]`)) }),
  };
}

function toCall({ id, function: { name, arguments: text } }: z.output<typeof ToolCall>, path: string) {
  try {
    return { id, name, args: JSON.parse(text || "{}"), type: "tool_call" as const };
  } catch {
    throw refused(`${path}.function.arguments`, "the arguments are not JSON");
  }
}

/** Returns the messages after the last message of the assistant. A chat UI sends its whole history, so only these messages are new. */
export function newMessages(messages: ChatMessage[]): ChatMessage[] {
  const fresh = messages.slice(messages.findLastIndex(({ role }) => role === "assistant") + 1);
  if (fresh.length === 0) throw refused("messages", "the last message is the assistant's, so there is nothing to answer");
  return fresh;
}

/** Returns the text of the last message of a person, or undefined if there is none. */
export function lastUserText(messages: ChatMessage[]): string | undefined {
  const last = messages.findLast(({ role }) => role === "user");
  return last && textOf(last.content);
}

/** Returns the text of a message's content, which is a string or a list of parts. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part) => (typeof part === "string" ? part : typeof part?.text === "string" && isText(part.type) ? part.text : ""))
    .join("");
}

const isText = (type: unknown) => type === "text" || type === "input_text" || type === "output_text";
