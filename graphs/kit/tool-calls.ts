import { AIMessage, type BaseMessage } from "@langchain/core/messages";

/** A call of a tool, as the model wants it. */
export interface Call {
  id?: string;
  name: string;
  args: Record<string, unknown>;
  /** What it wrote for arguments, when that is not JSON. */
  broken?: string;
}

/** LangChain puts a call aside whose arguments are not JSON. Here it stays a call, with no arguments: only a call can be answered. */
export function keepBrokenCalls(reply: AIMessage): AIMessage {
  const { id, name, content, tool_calls: sound = [], invalid_tool_calls: broken = [], response_metadata, usage_metadata } = reply;
  if (broken.length === 0) return reply;
  const calls = broken.map(({ id, name = "" }) => ({ id, name, args: {}, type: "tool_call" as const }));
  const tool_calls = [...sound, ...calls];
  return new AIMessage({ id, name, content, tool_calls, invalid_tool_calls: broken, response_metadata, usage_metadata });
}

/** What the last message asks for. */
export function callsOf(messages: BaseMessage[]): Call[] {
  const last = messages.at(-1);
  if (!AIMessage.isInstance(last)) return [];
  const { tool_calls: calls = [], invalid_tool_calls: broken = [] } = last;
  const written = new Map(broken.map(({ id, args = "" }) => [id, args]));
  return calls.map(({ id, name, args }) => ({ id, name, args, broken: written.get(id) }));
}
