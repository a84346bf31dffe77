/** A difference between two values, at a path such as `context.models[0].name`. */
export interface Difference {
  path: string;
  kind: "added" | "removed" | "changed";
  before?: unknown;
  after?: unknown;
}

type Container = Record<string, unknown> | unknown[];

const isContainer = (value: unknown): value is Container => typeof value === "object" && value !== null;

/** Returns how two values differ, path by path. Objects are compared by their keys, and lists by their places. */
export function differences(before: unknown, after: unknown, path = ""): Difference[] {
  if (isContainer(before) && isContainer(after) && Array.isArray(before) === Array.isArray(after)) return inside(before, after, path);
  return Object.is(before, after) ? [] : [{ path, kind: "changed", before, after }];
}

function inside(before: Container, after: Container, path: string): Difference[] {
  const isList = Array.isArray(before);
  const [old, next] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  return [...new Set([...old.keys(), ...next.keys()])].flatMap((key): Difference[] => {
    const at = joined(path, key, isList);
    if (!next.has(key)) return [{ path: at, kind: "removed", before: old.get(key) }];
    if (!old.has(key)) return [{ path: at, kind: "added", after: next.get(key) }];
    return differences(old.get(key), next.get(key), at);
  });
}

function joined(path: string, key: string, isList: boolean): string {
  if (isList) return `${path}[${key}]`;
  if (!/^[\w$-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}
