import { type BaseMessage, HumanMessage } from "@langchain/core/messages";

/**
 * Returns the messages that the model sees: those that are not in the summary yet. The last message of a person is always included, because
 * it is the task.
 */
export function inSight(messages: BaseMessage[], folded: number): BaseMessage[] {
  const task = messages.findLastIndex((message) => HumanMessage.isInstance(message));
  const present = messages.slice(folded);
  return task >= 0 && task < folded ? [messages[task] as BaseMessage, ...present] : present;
}
