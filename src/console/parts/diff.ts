import { isObject } from "./json-schema.ts";

/** One difference between two values. */
export interface Change {
  kind: "added" | "removed" | "changed";
  /** The keys and indexes that lead to the difference. For a list whose items have unique ids, ids take the place of indexes. */
  path: (string | number)[];
  before?: unknown;
  after?: unknown;
}

/** The maximum number of listed differences. The search stops there, because nobody would read a longer list. */
export const mostChanges = 300;

/**
 * Returns the differences between two JSON values. Items of lists are matched by their ids. If not all items have unique ids, they are
 * matched by their indexes.
 */
export function differences(before: unknown, after: unknown): Change[] {
  const found: Change[] = [];
  compare(before, after, [], found);
  return found;
}

function compare(before: unknown, after: unknown, path: Change["path"], found: Change[]): void {
  if (found.length >= mostChanges || before === after) return;
  if (before === undefined) found.push({ kind: "added", path, after });
  else if (after === undefined) found.push({ kind: "removed", path, before });
  else if (Array.isArray(before) && Array.isArray(after)) compareEntries(entriesOf(before), entriesOf(after), path, found);
  else if (isObject(before) && isObject(after))
    compareEntries(new Map(Object.entries(before)), new Map(Object.entries(after)), path, found);
  else found.push({ kind: "changed", path, before, after });
}

function compareEntries<Key extends string | number>(
  before: Map<Key, unknown>,
  after: Map<Key, unknown>,
  path: Change["path"],
  found: Change[],
) {
  for (const key of new Set([...before.keys(), ...after.keys()])) compare(before.get(key), after.get(key), [...path, key], found);
}

/** Returns the items of a list by id if all items have unique ids, and otherwise by index. */
function entriesOf(list: unknown[]): Map<string | number, unknown> {
  const ids = list.map((item) => (isObject(item) && typeof item.id === "string" ? item.id : undefined));
  const hasIds = list.length > 0 && ids.every((id) => id !== undefined) && new Set(ids).size === ids.length;
  return new Map(list.map((item, index) => [hasIds ? (ids[index] ?? index) : index, item]));
}

/** Returns a path as text, such as `context.models[0].name`. */
export function pathText(path: Change["path"]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number" || !/^[\w$-]+$/.test(key)) return `${text}[${JSON.stringify(key)}]`;
    return text === "" ? key : `${text}.${key}`;
  }, "");
}
