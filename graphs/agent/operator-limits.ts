import { realpath } from "node:fs/promises";
import { sep } from "node:path";

// The operator's limits come from the environment, where no caller can set them. The service copies the limits of langgraph.json there.

/** Returns the internal hosts that a graph may call. The operator lists the hosts, and a caller's context can only remove some. */
export function allowedHosts(context: string[] | null): string[] {
  const operators = listed(process.env.ENSEMBLE_PATTERN_HOSTS, /[\s,]+/).map((host) => host.toLowerCase());
  return context ? operators.filter((host) => context.includes(host)) : operators;
}

/**
 * Returns the directories that a graph may read, as real paths. The operator lists the directories, and a caller's context can only narrow
 * them. If one of two directories is inside the other, the inner one counts.
 */
export async function allowedDirectories(context: string[] | null): Promise<string[]> {
  const operators = await existing(listed(process.env.ENSEMBLE_PATTERN_DIRECTORIES, ","));
  if (!context) return operators;
  const callers = await existing(context);
  const inner = callers.filter((one) => operators.some((other) => isWithin(one, other)));
  const narrowed = operators.filter((one) => callers.some((other) => isWithin(one, other)));
  return [...new Set([...inner, ...narrowed])];
}

/** Tells whether a real path is this directory or inside it. */
export const isWithin = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep);

async function existing(directories: string[]): Promise<string[]> {
  const found = await Promise.all(directories.map((directory) => realpath(directory).catch(() => undefined)));
  return found.filter((directory) => directory !== undefined);
}

function listed(text: string | undefined, separator: string | RegExp): string[] {
  return (text ?? "")
    .split(separator)
    .map((one) => one.trim())
    .filter(Boolean);
}
