import { AIMessage, type BaseMessage } from "@langchain/core/messages";

/** A tool call as the model requests it. */
export interface Call {
  id?: string;
  name: string;
  args: Record<string, unknown>;
  /** The arguments as the model wrote them. Undefined if the arguments are valid JSON. */
  broken?: string;
}

/**
 * Returns the message with all of its tool calls in one list. LangChain keeps calls whose arguments are not JSON in a second list. This
 * function adds them as calls without arguments, so that each gets a result that tells the model its mistake.
 */
export function keepBrokenCalls(reply: AIMessage): AIMessage {
  const { id, name, content, tool_calls: sound = [], invalid_tool_calls: broken = [], response_metadata, usage_metadata } = reply;
  if (broken.length === 0) return reply;
  const calls = broken.map(({ id, name = "" }) => ({ id, name, args: {}, type: "tool_call" as const }));
  const tool_calls = [...sound, ...calls];
  return new AIMessage({ id, name, content, tool_calls, invalid_tool_calls: broken, response_metadata, usage_metadata });
}

/** Returns the tool calls of the last message. */
export function callsOf(messages: BaseMessage[]): Call[] {
  const last = messages.at(-1);
  if (!AIMessage.isInstance(last)) return [];
  const { tool_calls: calls = [], invalid_tool_calls: broken = [] } = last;
  const written = new Map(broken.map(({ id, args = "" }) => [id, args]));
  return calls.map(({ id, name, args }) => ({ id, name, args, broken: written.get(id) }));
}
