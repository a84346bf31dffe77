import { type BaseMessage, HumanMessage, isAIMessage, isToolMessage } from "@langchain/core/messages";

/** How many messages of a conversation the model sees when a run begins, and how many leave at once. */
const windowSize = 20;
const foldSize = 10;

/**
 * Returns the messages to fold into the running summary, oldest first. The list is usually empty. `folded` messages have left before. Ten
 * leave at a time, so that the summary is not rewritten with every message. A tool result never loses its call. The last message of a
 * person never leaves, because it is the task.
 */
export function leavingWindow(messages: BaseMessage[], folded: number): BaseMessage[] {
  const present = messages.slice(folded);
  if (present.length <= windowSize) return [];
  let cut = Math.max(foldSize, present.length - windowSize);
  while (cut < present.length && belongsToEarlier(present, cut)) cut++;
  const task = present.findLastIndex((message) => HumanMessage.isInstance(message));
  return present.slice(0, Math.max(0, Math.min(cut, task)));
}

/** Tells whether a message needs the one before it: the result of a tool call. */
function belongsToEarlier(messages: BaseMessage[], index: number): boolean {
  const message = messages[index];
  return message !== undefined && isToolMessage(message) && messages.slice(0, index).some((earlier) => isAIMessage(earlier));
}

/** Returns the leaving messages as text, for the model that folds them in. */
export function asTranscript(messages: BaseMessage[]): string {
  return messages.map((message) => `${message.type}: ${message.text}`).join("\n");
}
