import type { ThreadEvent } from "./event.ts";

/** The events of a thread that a subscriber wants. */
export interface Filter {
  channels: string[];
  /** The wanted namespaces, with the namespaces below them. If the list is empty or missing, all namespaces match. */
  namespaces?: string[][] | null | undefined;
  /** The number of levels below the wanted namespaces that are included. If it is missing, all levels are included. */
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
 * Tells whether a namespace is below a prefix or equal to it. A segment of a namespace consists of a node's name and the id of the node's
 * task. In a prefix, a segment may be only the node's name.
 */
function isUnder(namespace: string[], prefix: string[]): boolean {
  if (prefix.length > namespace.length) return false;
  return prefix.every((segment, index) => {
    const actual = namespace[index] ?? "";
    return actual === segment || (!segment.includes(":") && nodeOf(actual) === segment);
  });
}

export const nodeOf = (segment: string) => segment.split(":")[0] ?? segment;
