import type { BaseMessage } from "@langchain/core/messages";
import { fieldOf, isPlainMessage } from "../checkpoints/mark.ts";

/** A LangChain object that can return the flat form that clients expect. */
interface Dictable {
  toDict(): { type: string; data: Record<string, unknown> };
}

/**
 * Returns JSON text for clients, with every message in its flat form `{ type, content, … }`. Never throws. Values that JSON lacks become
 * strings, which is safe because graphs never load this JSON again.
 */
export function wireJson(value: unknown): string {
  try {
    return textOf(value, outerLevels) ?? "null";
  } catch {
    return JSON.stringify(value, flattenWithoutCycles()) ?? "null";
  }
}

/**
 * How many levels of a value `textOf` walks through itself before it leaves the rest to JSON.stringify with a replacer. Depth 0 is the
 * state, depth 1 its channels, and depth 2 the items of their lists.
 */
const outerLevels = 2;

/**
 * Returns the same text as `JSON.stringify(value, flatten)`, but faster. Most messages are in the outer levels, so it walks through these
 * levels itself. JSON.stringify would call `flatten` for every field of each message.
 */
function textOf(value: unknown, levels: number): string | undefined {
  if (typeof value !== "object" || value === null || levels < 0) return JSON.stringify(value, flatten);
  if (isPlainMessage(value)) return flatText(value);
  if (levels === 0 || "toJSON" in value) return JSON.stringify(value, flatten);
  if (Array.isArray(value)) return `[${Array.from(value, (item) => textOf(item, levels - 1) ?? "null").join(",")}]`;
  if (Object.getPrototypeOf(value) !== Object.prototype) return JSON.stringify(value, flatten);
  const fields = Object.entries(value).flatMap(([key, item]) => {
    const text = textOf(item, levels - 1);
    return text === undefined ? [] : [`${JSON.stringify(key)}:${text}`];
  });
  return `{${fields.join(",")}}`;
}

/**
 * Returns the JSON text of a message in its flat form, as `toDict` would. `toDict` is slower, because it first creates LangChain's stored
 * form.
 */
function flatText(message: BaseMessage): string {
  const flat: Record<string, unknown> = {};
  for (const field in message.lc_kwargs) flat[field] = fieldOf(message, field);
  flat.type = message.getType();
  return JSON.stringify(flat);
}

/** Returns a copy of a value with all its messages in their flat form. It is for responses that are built from several values. */
export function toWire(value: unknown): unknown {
  return JSON.parse(wireJson(value));
}

function flatten(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const raw = this[key]; // the original value, because `toJSON` returns a message in LangChain's stored form
  if (isDictable(raw)) {
    const { type, data } = raw.toDict();
    return { ...data, type };
  }
  return typeof value === "bigint" ? value.toString() : value;
}

function flattenWithoutCycles() {
  const parents: unknown[] = [];
  return function (this: Record<string, unknown>, key: string, value: unknown): unknown {
    while (parents.length > 0 && parents.at(-1) !== this) parents.pop();
    const flat = flatten.call(this, key, value);
    if (typeof flat !== "object" || flat === null) return flat;
    if (parents.includes(flat)) return "[Circular]";
    parents.push(flat);
    return flat;
  };
}

function isDictable(value: unknown): value is Dictable {
  return typeof value === "object" && value !== null && "toDict" in value && typeof value.toDict === "function";
}
