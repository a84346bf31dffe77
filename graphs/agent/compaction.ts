import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { type BaseMessage, ToolMessage } from "@langchain/core/messages";
import { ClearToolUsesEdit } from "langchain";
import { z } from "zod";
import { inSight } from "./in-sight.ts";
import { cut } from "./prompt.ts";
import { tokensOf } from "./usage.ts";

export const Strategy = z.enum(["semantic", "aggressive", "minimal"]);
export type Strategy = z.infer<typeof Strategy>;

/** The assumed context window of a model that LangChain does not know, in tokens. */
const usualWindow = 128_000;
const usualShare = 0.75;
/** The minimum room for messages, in tokens. It applies even if the instruction is very long. */
const leastRoom = 500;
/** The number of tool results that the strategy `minimal` keeps. LangChain has the same default. */
const keptResults = 3;

/** The number of tokens that are left for the messages and the summary in one model call, and the strategy that shortens the messages. */
export interface Room {
  tokens: number;
  strategy: Strategy;
}

/** Returns the room for messages: the agent's token limit minus the fixed parts of its prompt. */
export function roomBeside(
  { contextTokens, compaction = "semantic" }: { contextTokens?: number; compaction?: Strategy },
  model: BaseChatModel,
  fixed: BaseMessage[],
): Room {
  const most = contextTokens ?? usualShare * (model.profile?.maxInputTokens ?? usualWindow);
  return { tokens: Math.max(leastRoom, Math.floor(most - tokensOf(fixed))), strategy: compaction };
}

/**
 * Returns the oldest messages, which the caller hides from the model so that the other messages fit. Returns none if all messages fit.
 * Messages are hidden in whole rounds: a message together with the results of its tool calls. The last round always stays.
 */
export function leavingRoom(messages: BaseMessage[], folded: number, summary: number, { tokens, strategy }: Room): BaseMessage[] {
  if (tokensOf(inSight(messages, folded)) + summary <= tokens) return [];
  const present = messages.slice(folded);
  const goal = strategy === "aggressive" ? 0 : tokens / 2;
  const starts = present.flatMap((message, index) => (ToolMessage.isInstance(message) ? [] : [index]));
  const [last = 0, ...earlier] = starts.toReversed();
  const kept = earlier.findLast((start) => tokensOf(present.slice(start)) <= goal);
  return present.slice(0, kept ?? last);
}

/** Splits messages into parts of at most `tokens` tokens, so that one call can summarize each part. */
export function partsOf(messages: BaseMessage[], tokens: number): BaseMessage[][] {
  const parts: BaseMessage[][] = [];
  for (const message of messages) {
    const part = parts.at(-1);
    if (part && tokensOf([...part, message]) <= tokens) part.push(message);
    else parts.push([message]);
  }
  return parts;
}

/** Returns the messages for the model, shortened to fit the room. The conversation itself is not changed. */
export async function fitted(messages: BaseMessage[], model: BaseChatModel, { tokens, strategy }: Room): Promise<BaseMessage[]> {
  if (tokensOf(messages) <= tokens) return messages;
  const seen = [...messages];
  if (strategy === "minimal") {
    const edit = new ClearToolUsesEdit({ trigger: { tokens }, keep: { messages: keptResults } });
    await edit.apply({ messages: seen, model, countTokens: tokensOf });
  }
  return withShortResults(strategy === "minimal" ? withoutOldest(seen, tokens) : seen, tokens);
}

/**
 * Returns the messages without the oldest rounds, so that the rest fits. Always keeps the last message of a person, because that message
 * is the task.
 */
function withoutOldest(messages: BaseMessage[], tokens: number): BaseMessage[] {
  const leaving = leavingRoom(messages, 0, 0, { tokens, strategy: "semantic" });
  return inSight(messages, leaving.length);
}

/** Returns the messages. If they have more than `tokens` tokens, all tool results in them are cut to the same maximum length. */
function withShortResults(messages: BaseMessage[], tokens: number): BaseMessage[] {
  if (tokensOf(messages) <= tokens) return messages;
  const results = messages.filter((message) => ToolMessage.isInstance(message));
  const others = tokensOf(messages.filter((message) => !ToolMessage.isInstance(message)));
  const noteTokens = 25;
  const each = Math.max(25, Math.floor((tokens - others) / Math.max(1, results.length)) - noteTokens);
  return messages.map((message) => {
    if (!ToolMessage.isInstance(message)) return message;
    const { id, tool_call_id, name, status } = message;
    return new ToolMessage({ id, tool_call_id, name, status, content: cut(message.text, each) });
  });
}
