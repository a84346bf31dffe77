import type { BaseMessage } from "@langchain/core/messages";
import { Overwrite } from "@langchain/langgraph";
import type { LedgerEntry } from "../ledger.ts";

/** Returns a copy of the value in which `to` (the guarded answer) replaces every text that equals `from` (the original answer). */
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

/**
 * Returns the field `ledger` for a state update: the ledger entries of judges, and then the entries in the update. If the update has an
 * `Overwrite`, the result is an `Overwrite` too. If no judge was called, the result is empty.
 */
export function ledgerOf(judged: LedgerEntry[], { ledger }: Record<string, unknown>) {
  if (judged.length === 0) return {};
  if (ledger instanceof Overwrite) return { ledger: new Overwrite([...judged, ...(ledger.value as LedgerEntry[])]) };
  return { ledger: [...judged, ...((ledger ?? []) as LedgerEntry[])] };
}
