import { BaseMessage } from "@langchain/core/messages";
import { dumpState } from "./serializer.ts";
import { plainFields } from "./stored-message.ts";

/**
 * What is remembered of a stored item, so that it can be told later whether it is still the same: values by themselves, what a plain
 * message says, and of all else the text that was stored.
 */
export type Mark =
  | { kind: "value"; value: unknown }
  | { kind: "message"; type: unknown; content: unknown; id: unknown; name: unknown }
  | { kind: "text"; text: string };

/** Of a live item. Throws what dumpState throws. */
export function markOf(item: unknown): Mark {
  if (typeof item !== "object" || item === null) return { kind: "value", value: item };
  return isPlainMessage(item) ? messageMark(item) : { kind: "text", text: textOf(item) };
}

/** Of an item that was just read, given what it was made from. */
export function markOfStored(item: unknown, stored: unknown): Mark {
  if (typeof item !== "object" || item === null) return { kind: "value", value: item };
  return isPlainMessage(item) ? messageMark(item) : { kind: "text", text: JSON.stringify(stored) };
}

/** The item as it is stored. */
export function textOf(item: unknown): string {
  const dumped = dumpState(item, "item");
  // Bytes have a form of their own only as a whole value; within another they are written out.
  return dumped.type === "bytes" ? (dumpState([item], "item").text?.slice(1, -1) ?? "") : dumped.text;
}

/** Whether an item still is what was stored. In doubt it is not: then it is stored once more. */
export function isUnchanged(mark: Mark | undefined, item: unknown): boolean {
  if (!mark) return false;
  if (mark.kind === "value") return Object.is(mark.value, item);
  if (typeof item !== "object" || item === null) return false;
  if (mark.kind === "text") return textOf(item) === mark.text;
  return (
    isPlainMessage(item) &&
    item.constructor === mark.type &&
    item.content === mark.content &&
    item.id === mark.id &&
    item.name === mark.name
  );
}

function messageMark({ constructor: type, content, id, name }: BaseMessage): Mark {
  return { kind: "message", type, content, id, name };
}

const telling = new Set(["content", "id", "name"]);

/** A message that says nothing but its text, its id and its name. Of these a thread has the most, and to write them out is what costs. */
export function isPlainMessage(item: object): item is BaseMessage {
  if (!(item instanceof BaseMessage) || typeof item.content !== "string") return false;
  for (const field in item.lc_kwargs) if (!telling.has(field) && !(plainFields.has(field) && isEmpty(fieldOf(item, field)))) return false;
  return true;
}

/** As LangChain writes it: a field that its class does not have stands where the message was made from. */
export function fieldOf(message: BaseMessage, field: string): unknown {
  return field in message ? (message as unknown as Record<string, unknown>)[field] : message.lc_kwargs[field];
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === undefined;
  for (const _ in value) return false;
  return true;
}
