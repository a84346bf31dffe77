import type { ThreadEvent } from "./event.ts";

/** Selects the events of a thread that a subscriber wants. */
export interface Filter {
  channels: string[];
  /** Selects events under one of these namespaces. If empty or absent, all namespaces match. */
  namespaces?: string[][] | null | undefined;
  /** The number of levels below the namespaces that are included. */
  depth?: number | null | undefined;
}

/** Returns a function that tests whether an event matches a filter. The SDK applies the same test to the events that it receives. */
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

/**
 * Returns whether a namespace is under a prefix. A segment of a namespace is a node's name and its task's id. A filter may give only the
 * node's name.
 */
function isUnder(namespace: string[], prefix: string[]): boolean {
  if (prefix.length > namespace.length) return false;
  return prefix.every((segment, index) => {
    const actual = namespace[index] ?? "";
    return actual === segment || (!segment.includes(":") && nodeOf(actual) === segment);
  });
}

export const nodeOf = (segment: string) => segment.split(":")[0] ?? segment;
