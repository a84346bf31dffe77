import type { ThreadEvent } from "./event.ts";

/** What of a thread somebody wants to see. */
export interface Filter {
  channels: string[];
  /** Only what happens under one of these; all when there are none. */
  namespaces?: string[][] | null | undefined;
  /** How far below them. */
  depth?: number | null | undefined;
}

/** Makes the test for a filter. The SDK applies the same one to what it gets. */
export function toMatcher({ channels, namespaces, depth }: Filter): (event: ThreadEvent) => boolean {
  const wanted = new Set(channels);
  const prefixes = namespaces ?? [];
  const deepest = depth ?? Number.POSITIVE_INFINITY;
  return ({ method, name, namespace }) => {
    if (!isOnChannel(wanted, method, name)) return false;
    if (prefixes.length === 0) return true;
    return prefixes.some((prefix) => isUnder(namespace, prefix) && namespace.length - prefix.length <= deepest);
  };
}

function isOnChannel(wanted: Set<string>, method: string, name: string | undefined): boolean {
  if (method.startsWith("input.")) return wanted.has("input");
  return wanted.has(method) || (name !== undefined && wanted.has(`custom:${name}`));
}

/** A segment is a node's name and the id of its task; a filter may name the node alone. */
function isUnder(namespace: string[], prefix: string[]): boolean {
  if (prefix.length > namespace.length) return false;
  return prefix.every((segment, index) => {
    const actual = namespace[index] ?? "";
    return actual === segment || (!segment.includes(":") && nodeOf(actual) === segment);
  });
}

export const nodeOf = (segment: string) => segment.split(":")[0] ?? segment;
