import { DeltaSnapshot, type SerializerProtocol } from "@langchain/langgraph-checkpoint";
import { messageFrom } from "./stored-message.ts";

/** The error for a state value that Postgres cannot store and return unchanged. */
export class UnstorableValue extends Error {
  readonly path: string;
  readonly kind: string;

  constructor(path: string, kind: string) {
    super(`${path} holds ${kind}`);
    this.name = "UnstorableValue";
    this.path = path;
    this.kind = kind;
  }
}

/** A serialised value in the form in which the checkpoint tables store it. */
export type Dumped = { type: "json" | "list"; text: string } | { type: "bytes"; text: null; bytes: Uint8Array };

export const bytesOf = (dumped: Dumped): Uint8Array => (dumped.type === "bytes" ? dumped.bytes : Buffer.from(dumped.text));

/**
 * Serialises a value in the format of LangGraph's JsonPlusSerializer, so that LangGraph's saver and Ensemble can read each other's rows.
 * Throws for values that JsonPlusSerializer would lose: BigInt, functions, symbols, cycles, and nested binary data other than a plain
 * Uint8Array. Dates and NaN are stored as JSON stores them.
 */
export function dumpState(value: unknown, name: string): Dumped {
  if (value instanceof Uint8Array) return { type: "bytes", text: null, bytes: value };
  try {
    return { type: "json", text: JSON.stringify(value, encode) };
  } catch (error) {
    throw findUnstorable(value, name, new Set()) ?? error;
  }
}

function encode(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const kind = unstorableKind(this[key]);
  if (kind) throw new UnstorableValue(key, kind);
  if (value === undefined) return { lc: 2, type: "undefined" };
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof DeltaSnapshot) return { lc: 2, type: "delta_snapshot", value: value.value };
  if (value instanceof Set || value instanceof Map) return encodeConstructor(value.constructor.name, null, [...value]);
  if (value instanceof RegExp) return { ...encodeConstructor("RegExp", null, []), args: [value.source, value.flags] };
  if (value instanceof Error) return { ...encodeConstructor("Error", null, []), args: [value.message] };
  if (value instanceof Uint8Array) return encodeConstructor("Uint8Array", "from", [...value]);
  if (isSend(value)) return { node: value.node, args: value.args, ...(value.timeout !== undefined && { timeout: value.timeout }) };
  return value;
}

function encodeConstructor(name: string, method: "from" | null, arg: unknown[]) {
  return { lc: 2, type: "constructor", id: [name], method, args: [arg], kwargs: {} };
}

function isSend(value: object): value is { node: string; args: unknown; timeout?: unknown } {
  return "lg_name" in value && value.lg_name === "Send";
}

function unstorableKind(value: unknown): string | undefined {
  switch (typeof value) {
    case "bigint":
      return "a BigInt";
    case "function":
      return "a function";
    case "symbol":
      return "a symbol";
    case "object":
      if (Buffer.isBuffer(value)) return "a nested Buffer";
      if (value instanceof ArrayBuffer) return "a nested ArrayBuffer";
      // A plain Uint8Array is restored as a Uint8Array. Any other typed array is refused, because it would be restored as an object of
      // numbers.
      if (ArrayBuffer.isView(value) && !(value instanceof Uint8Array)) return `a nested ${value.constructor.name}`;
  }
  return undefined;
}

/** Returns an error with the path of the value that cannot be stored. The search is slow, so it is made only after storing has failed. */
function findUnstorable(value: unknown, path: string, parents: Set<unknown>): UnstorableValue | undefined {
  const kind = unstorableKind(value);
  if (kind) return new UnstorableValue(path, kind);
  if (typeof value !== "object" || value === null) return undefined;
  if (parents.has(value)) return new UnstorableValue(path, "a reference to itself");
  parents.add(value);
  for (const [key, child] of childrenOf(value)) {
    const found = findUnstorable(child, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`, parents);
    if (found) return found;
  }
  parents.delete(value);
  return undefined;
}

function childrenOf(value: object): [string, unknown][] {
  if (value instanceof Map || value instanceof Set) return [...value].map((child, index) => [String(index), child]);
  if ("lc_kwargs" in value && typeof value.lc_kwargs === "object" && value.lc_kwargs) return Object.entries(value.lc_kwargs);
  return Object.entries(value);
}

export interface StateSerializer extends SerializerProtocol {
  loadItems(text: string): Promise<LoadedItem[]>;
}

/** An item of a stored list, together with the JSON value from which the item was loaded. */
export interface LoadedItem {
  item: unknown;
  stored: unknown;
}

/**
 * Returns a serializer that reads all formats of LangGraph's serializer. A caller's input may contain a value that only looks like a
 * serialised object. LangGraph's serializer throws at such a value, so nobody could read or repair the thread. This serializer returns the
 * value unchanged.
 */
export function keepingImpostors(stock: SerializerProtocol): StateSerializer {
  const revive = async (text: string, value: unknown) =>
    text.includes('"lc":') ? reviveAll(value, !text.includes(escapeMark), reviveSlowly) : value;
  const reviveSlowly = async (value: object) => stock.loadsTyped("json", JSON.stringify(value)).catch(() => value);
  return {
    dumpsTyped: (value) => stock.dumpsTyped(value),
    async loadsTyped(type, data) {
      if (type !== "json") return stock.loadsTyped(type, data);
      const text = typeof data === "string" ? data : new TextDecoder().decode(data);
      return revive(text, JSON.parse(text));
    },
    async loadItems(text) {
      const stored: unknown[] = JSON.parse(text);
      const items = (await revive(text, [...stored])) as unknown[];
      return items.map((item, index) => ({ item, stored: stored[index] }));
    },
  };
}

/**
 * The key with which LangChain marks user data that looks like one of LangChain's serialised objects. If a text contains this key,
 * LangGraph's serializer reads the objects in the text. That serializer is slower, but handles the key correctly.
 */
const escapeMark = "__lc_escaped__";

/**
 * Turns serialised objects back into instances. Messages are created directly, because a thread may have thousands of them and LangGraph's
 * serializer awaits several promises for each value. `slowly` revives all other objects, and also the messages if `mayBeQuick` is false.
 */
async function reviveAll(root: unknown, mayBeQuick: boolean, slowly: (value: object) => Promise<unknown>): Promise<unknown> {
  const holder = { root };
  const left: Serialised[] = [];
  reviveIn(holder, mayBeQuick, left);
  await Promise.all(left.map(async ({ container, key, value }) => replace(container, key, await slowly(value))));
  return holder.root;
}

interface Serialised {
  container: object;
  key: string;
  value: object;
}

function reviveIn(container: object, mayBeQuick: boolean, left: Serialised[]): void {
  for (const [key, value] of Object.entries(container)) {
    if (typeof value !== "object" || value === null) continue;
    if (!Object.hasOwn(value, "lc")) {
      reviveIn(value, mayBeQuick, left);
      continue;
    }
    const message = mayBeQuick ? messageFrom(value) : undefined;
    if (message) replace(container, key, message);
    else left.push({ container, key, value });
  }
}

/**
 * Replaces a value in its container. It does not use an assignment, because assigning to the key "__proto__" would change the prototype.
 */
function replace(container: object, key: string, value: unknown): void {
  Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true });
}
