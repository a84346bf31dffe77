import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { cut } from "../../agent/prompt.ts";
import type { Conversation } from "./state.ts";

/**
 * Participants see at most `windowSize` messages. If there are more, the oldest `foldSize` messages are merged into the summary in one
 * step.
 */
const windowSize = 16;
const foldSize = 8;

/** Returns a participant's message in the form for the transcript: with the participant's name. */
export function saidBy(name: string, message: BaseMessage): AIMessage {
  const { id, content, response_metadata, usage_metadata, tool_calls } = message as AIMessage;
  return new AIMessage({ id, name, content, tool_calls, response_metadata, usage_metadata });
}

/** Tells whether a participant said the message, and not the user. */
export const isSaid = (message: BaseMessage): boolean => message.name !== undefined && !ToolMessage.isInstance(message);

/**
 * Returns the transcript for one participant. Messages of other participants become user messages that begin with the speaker's name. The
 * field `name` is removed, because some endpoints refuse this field.
 */
export function seenBy(name: string, state: Conversation, most: number): BaseMessage[] {
  const isOwn = (message: BaseMessage) => message.name === name && AIMessage.isInstance(message);
  const seen = present(state).map((message) =>
    isOwn(message) ? new AIMessage({ id: message.id, content: message.text }) : told(message, most),
  );
  return AIMessage.isInstance(seen.at(-1)) ? [...seen, new HumanMessage({ id: "go-on", content: "Go on." })] : seen;
}

function told(message: BaseMessage, most: number): BaseMessage {
  const { id, name, content, text } = message;
  if (name === undefined) return new HumanMessage({ id, content: typeof content === "string" ? cut(text, most) : content });
  return new HumanMessage({ id, content: cut(`${name}: ${text}`, most) });
}

/** Returns the messages that participants see: the user's task, the summary, and the messages that are not in the summary. */
export function present({ messages, summary, folded }: Conversation): BaseMessage[] {
  const task = messages.findLastIndex((message) => HumanMessage.isInstance(message) && message.name === undefined);
  const before = messages.slice(task, task + 1).filter(() => task >= 0 && task < folded);
  const memory = summary ? [new HumanMessage({ id: "summary", content: `Earlier in this conversation: ${summary}` })] : [];
  return [...before, ...memory, ...messages.slice(folded)];
}

/**
 * Returns the messages to merge into the summary now. The list is usually empty. A tool's result is always merged together with its call.
 */
export function leaving({ messages, folded }: Conversation): BaseMessage[] {
  const shown = messages.slice(folded);
  if (shown.length <= windowSize) return [];
  let end = foldSize;
  while (end < shown.length && ToolMessage.isInstance(shown[end])) end++;
  return shown.slice(0, end);
}

/** Returns messages as text, for a model that reads a conversation without taking part in it. */
export const asTranscript = (messages: BaseMessage[]): string =>
  messages.map((message) => `${message.name ?? (HumanMessage.isInstance(message) ? "user" : message.type)}: ${message.text}`).join("\n");
