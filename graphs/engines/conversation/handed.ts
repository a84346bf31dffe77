import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { cut } from "../../agent/prompt.ts";
import type { HandedOver, Handoff } from "./handoff.ts";
import type { Conversation } from "./state.ts";
import { asTranscript } from "./transcript.ts";

/** The inputs that decide which part of a conversation an agent sees after a handoff. */
export interface Handed {
  /** The last handoff. If it is undefined, the agent sees the whole conversation. */
  handoff?: { by: Handoff; record: HandedOver; pack: boolean };
  /** The number of messages before the last handoff. */
  handedAt: number;
  /** The length limit of a message, in tokens. */
  most: number;
}

/** Returns the messages for the current agent. The handoff's filter applies to the messages before the handoff. */
export function seenAfterHandoff({ messages, summary, folded }: Conversation, { handoff, handedAt, most }: Handed): BaseMessage[] {
  const at = Math.max(folded, handoff ? handedAt : folded);
  const after = messages.slice(at);
  const memory = summary ? [new HumanMessage({ id: "summary", content: `Earlier in this conversation: ${summary}` })] : [];
  const all = [...memory, ...messages.slice(folded, at)];
  const before = handoff ? filtered(all, handoff) : all;
  const user = messages.findLast((message) => HumanMessage.isInstance(message));
  const task = user && ![...before, ...after].some(({ id }) => id === user.id) ? [user] : [];
  const input = handoff && !before.some(isTransfer) ? handedInput(handoff.record) : [];
  const seen = [...task, ...before, ...input, ...after].map((message) => withoutName(message, most));
  return AIMessage.isInstance(seen.at(-1)) ? [...seen, new HumanMessage({ id: "go-on", content: "Go on." })] : seen;
}

const isTransfer = (message: BaseMessage) => ToolMessage.isInstance(message) && message.text.startsWith("Transferred to ");

function filtered(messages: BaseMessage[], { by: { filter }, pack }: NonNullable<Handed["handoff"]>): BaseMessage[] {
  const kept = apply(filter, messages);
  if (!pack) return kept;
  const user = kept.findLast((message) => HumanMessage.isInstance(message));
  const content = `<CONVERSATION HISTORY>\n${asTranscript(kept.filter((message) => message !== user && message.text !== ""))}\n</CONVERSATION HISTORY>`;
  return [new AIMessage({ id: "history", content }), ...(user ? [user] : [])];
}

function apply(filter: Handoff["filter"], messages: BaseMessage[]): BaseMessage[] {
  if (typeof filter === "function") return filter(messages);
  if (filter === "all") return messages;
  if (filter === "none") return [];
  if (filter === "remove_tools") return messages.flatMap(withoutTools);
  const last = messages.slice(-filter.last);
  const first = last.findIndex((message) => !ToolMessage.isInstance(message)); // endpoints refuse a tool result without its call
  return first < 0 ? [] : last.slice(first);
}

/** Returns the message without its tool calls, as a list. The list is empty for a tool result, and for a message that only calls tools. */
function withoutTools(message: BaseMessage): BaseMessage[] {
  if (ToolMessage.isInstance(message) || (AIMessage.isInstance(message) && message.text === "")) return [];
  return [AIMessage.isInstance(message) ? new AIMessage({ id: message.id, name: message.name, content: message.text }) : message];
}

/** Returns the input of the handoff as a message. Used for an agent that does not see the tool call of the handoff. */
function handedInput({ from, input }: HandedOver): BaseMessage[] {
  return input === null ? [] : [new HumanMessage({ id: "handed", content: `${from} hands over: ${JSON.stringify(input)}` })];
}

/** Returns the message without the speaker's name, which some endpoints refuse. Cuts the text of a person's message. */
function withoutName(message: BaseMessage, most: number): BaseMessage {
  const { id, content, text } = message;
  if (HumanMessage.isInstance(message)) return new HumanMessage({ id, content: typeof content === "string" ? cut(text, most) : content });
  if (!AIMessage.isInstance(message)) return message;
  return new AIMessage({ id, content, tool_calls: message.tool_calls });
}
