import { type BaseMessage, isAIMessage, isToolMessage } from "@langchain/core/messages";

/** How many messages a model sees of a conversation, and how many leave at once. */
const windowSize = 20;
const foldSize = 10;

export interface Window {
  /** What the model sees in full. */
  recent: BaseMessage[];
  /** What is to be folded into the running summary, oldest first; empty most of the time. */
  leaving: BaseMessage[];
}

/**
 * Splits a conversation into what stays and what leaves. `folded` messages have left before. Ten leave at a time, so that the summary
 * is not made anew with every message, and a tool's result never loses the call that asked for it.
 */
export function splitWindow(messages: BaseMessage[], folded: number): Window {
  const present = messages.slice(folded);
  if (present.length <= windowSize) return { recent: present, leaving: [] };
  let cut = Math.max(foldSize, present.length - windowSize);
  while (cut < present.length && belongsToEarlier(present, cut)) cut++;
  return { recent: present.slice(cut), leaving: present.slice(0, cut) };
}

/** A message that only makes sense after the one before the cut: the result of a tool call. */
function belongsToEarlier(messages: BaseMessage[], index: number): boolean {
  const message = messages[index];
  return message !== undefined && isToolMessage(message) && messages.slice(0, index).some((earlier) => isAIMessage(earlier));
}

/** The leaving messages as text, for the model that folds them in. */
export function asTranscript(messages: BaseMessage[]): string {
  return messages.map((message) => `${message.type}: ${message.text}`).join("\n");
}
