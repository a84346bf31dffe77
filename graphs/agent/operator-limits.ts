import { realpath } from "node:fs/promises";
import { resolve, sep } from "node:path";

// The operator's limits come from environment variables, because callers cannot set those. The service copies the limits of langgraph.json
// into these variables.

/**
 * Returns the internal hosts that a graph may call. If the caller's context names hosts, only the operator's hosts among them are returned.
 */
export function allowedHosts(context: string[] | null): string[] {
  const operators = listed(process.env.ENSEMBLE_PATTERN_HOSTS, /[\s,]+/).map((host) => host.toLowerCase());
  return context ? operators.filter((host) => context.includes(host)) : operators;
}

/**
 * Returns the directories that a graph may read, as real paths. A caller's context can only narrow the operator's directories. A
 * caller may name a directory inside or around an operator's directory. In both cases, the inner directory is returned.
 */
export async function allowedDirectories(context: string[] | null): Promise<string[]> {
  const operators = await existing(listed(process.env.ENSEMBLE_PATTERN_DIRECTORIES, ","));
  if (!context) return operators;
  const callers = await existing(context);
  const inner = callers.filter((one) => operators.some((other) => isWithin(one, other)));
  const narrowed = operators.filter((one) => callers.some((other) => isWithin(one, other)));
  return [...new Set([...inner, ...narrowed])];
}

/** Returns the operator's directories as they are written. Symbolic links in them are not resolved. */
export const operatorDirectories = (): string[] =>
  listed(process.env.ENSEMBLE_PATTERN_DIRECTORIES, ",").map((directory) => resolve(directory));

/** Tells whether a real path is this directory or lies inside it. */
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
