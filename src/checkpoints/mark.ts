import { BaseMessage } from "@langchain/core/messages";
import { dumpState } from "./serializer.ts";
import { plainFields } from "./stored-message.ts";

/**
 * The mark of a stored item, with which a saver later detects that the item has changed. For a primitive value, the mark is the value. For
 * a message with only plain fields, the mark is these fields. For any other object, the mark is the stored text.
 */
export type Mark =
  | { kind: "value"; value: unknown }
  | { kind: "message"; type: unknown; content: unknown; id: unknown; name: unknown }
  | { kind: "text"; text: string };

/**
 * Returns the mark of an item in the graph's state. `isUnchanged` later compares the item with this mark. Throws the same errors as
 * `dumpState`.
 */
export function markOf(item: unknown): Mark {
  if (typeof item !== "object" || item === null) return { kind: "value", value: item };
  return isPlainMessage(item) ? messageMark(item) : { kind: "text", text: textOf(item) };
}

/**
 * Returns the mark of an item that was just loaded. `isUnchanged` later compares the item with this mark. `stored` is the JSON value from
 * which the item was loaded.
 */
export function markOfStored(item: unknown, stored: unknown): Mark {
  if (typeof item !== "object" || item === null) return { kind: "value", value: item };
  return isPlainMessage(item) ? messageMark(item) : { kind: "text", text: JSON.stringify(stored) };
}

/** Returns the text that is stored for an item. */
export function textOf(item: unknown): string {
  const dumped = dumpState(item, "item");
  // Only a whole value can be stored as binary bytes. Bytes inside a list are stored as JSON.
  return dumped.type === "bytes" ? (dumpState([item], "item").text?.slice(1, -1) ?? "") : dumped.text;
}

/**
 * Tells whether an item still equals the stored item that the mark describes. In case of doubt, returns false, and the item is stored
 * again.
 */
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

const plainMessageFields = new Set(["content", "id", "name"]);

/**
 * Tells whether a message has only text, an id and a name. Most messages have no more. They are compared field by field, because
 * serialising all messages at every step would take the most time.
 */
export function isPlainMessage(item: object): item is BaseMessage {
  if (!(item instanceof BaseMessage) || typeof item.content !== "string") return false;
  for (const field in item.lc_kwargs)
    if (!plainMessageFields.has(field) && !(plainFields.has(field) && isEmpty(fieldOf(item, field)))) return false;
  return true;
}

/** Returns a field's value as LangChain serialises it: the property of this name, or else the constructor argument of this name. */
export function fieldOf(message: BaseMessage, field: string): unknown {
  return field in message ? (message as unknown as Record<string, unknown>)[field] : message.lc_kwargs[field];
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === undefined;
  for (const _ in value) return false;
  return true;
}
