import { type BaseMessage, HumanMessage } from "@langchain/core/messages";

/**
 * Returns the messages that the model sees, which are those that the summary does not contain. The last message of a person is always
 * among them, because it is the task.
 */
export function inSight(messages: BaseMessage[], folded: number): BaseMessage[] {
  const task = messages.findLastIndex((message) => HumanMessage.isInstance(message));
  const present = messages.slice(folded);
  return task >= 0 && task < folded ? [messages[task] as BaseMessage, ...present] : present;
}
