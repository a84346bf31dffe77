import type { BaseMessage } from "@langchain/core/messages";
import { Overwrite } from "@langchain/langgraph";
import type { LedgerEntry } from "../ledger.ts";

/** Returns the value with every text that equals the original answer replaced by the guarded answer. */
export function swap(value: unknown, from: string, to: string): unknown {
  if (value === from) return to;
  if (Array.isArray(value)) return value.map((one) => swap(one, from, to));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, swap(one, from, to)]));
}

/** Tells whether a value is a plain object. Commands, messages and overwrites are not. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/**
 * Returns the changed values without LangGraph's wrapper `Overwrite`. If guards changed messages, returns all messages, with each changed
 * message in the place of its original.
 */
export function plainOf(changed: Record<string, unknown>, { messages = [] }: { messages?: BaseMessage[] }): Record<string, unknown> {
  const plain = Object.entries(changed).map(([key, value]) => [key, value instanceof Overwrite ? value.value : value]);
  const replaced = new Map(((changed.messages ?? []) as BaseMessage[]).map((message) => [message.id, message]));
  return { ...Object.fromEntries(plain), ...(replaced.size > 0 && { messages: messages.map((one) => replaced.get(one.id) ?? one) }) };
}

/**
 * Returns the messages of an update: the new versions of messages that guards have changed, and then the messages that the node returned.
 */
export function messagesOf({ messages: replaced }: Record<string, unknown>, { messages: own }: Record<string, unknown>) {
  return replaced === undefined ? {} : { messages: [...(replaced as BaseMessage[]), ...([own ?? []].flat() as BaseMessage[])] };
}

/** Returns the ledger of an update, with the entries of judges added. An `Overwrite` stays an `Overwrite`. */
export function ledgerOf(judged: LedgerEntry[], { ledger }: Record<string, unknown>) {
  if (judged.length === 0) return {};
  if (ledger instanceof Overwrite) return { ledger: new Overwrite([...judged, ...(ledger.value as LedgerEntry[])]) };
  return { ledger: [...judged, ...((ledger ?? []) as LedgerEntry[])] };
}
