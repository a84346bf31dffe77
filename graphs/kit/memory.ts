import { type BaseMessage, HumanMessage, isAIMessage, isToolMessage } from "@langchain/core/messages";

/** How many messages a model sees of a conversation when a run begins, and how many leave at once. */
const windowSize = 20;
const foldSize = 10;

/**
 * What is to be folded into the running summary, oldest first; empty most of the time. `folded` messages have left before. Ten leave at
 * a time, so that the summary is not made anew with every message, and a tool's result never loses the call that asked for it. What a
 * person said last never leaves: it is the task.
 */
export function leavingWindow(messages: BaseMessage[], folded: number): BaseMessage[] {
  const present = messages.slice(folded);
  if (present.length <= windowSize) return [];
  let cut = Math.max(foldSize, present.length - windowSize);
  while (cut < present.length && belongsToEarlier(present, cut)) cut++;
  const task = present.findLastIndex((message) => HumanMessage.isInstance(message));
  return present.slice(0, Math.max(0, Math.min(cut, task)));
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
