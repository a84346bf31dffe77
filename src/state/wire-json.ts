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
    return JSON.stringify(value, flatten) ?? "null";
  } catch {
    return JSON.stringify(value, flattenWithoutCycles()) ?? "null";
  }
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
