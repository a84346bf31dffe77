import type { BaseMessage } from "@langchain/core/messages";
import { fieldOf, isPlainMessage } from "../checkpoints/mark.ts";

/** LangChain objects that know their flat form. */
interface Dictable {
  toDict(): { type: string; data: Record<string, unknown> };
}

/**
 * JSON as clients expect it: messages flat, `{ type, content, … }`, wherever they stand. It never throws: what JSON cannot say becomes
 * a string, because an event is told, not stored to be loaded again.
 */
export function wireJson(value: unknown): string {
  try {
    return textOf(value, outerLevels) ?? "null";
  } catch {
    return JSON.stringify(value, flattenWithoutCycles()) ?? "null";
  }
}

/** A state, its channels, what is in their lists. */
const outerLevels = 2;

/**
 * What JSON.stringify makes of it. The outer levels are walked here, because most of a state is plain messages, and a replacer costs for
 * every field of theirs.
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

/** As toDict has it, which goes through the form for storing. */
function flatText(message: BaseMessage): string {
  const flat: Record<string, unknown> = {};
  for (const field in message.lc_kwargs) flat[field] = fieldOf(message, field);
  flat.type = message.getType();
  return JSON.stringify(flat);
}

/** The same as a value, for answers that are put together from parts. */
export function toWire(value: unknown): unknown {
  return JSON.parse(wireJson(value));
}

function flatten(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const raw = this[key]; // before toJSON, which would give the constructor form
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
