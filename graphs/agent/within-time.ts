import { runInNewContext } from "node:vm";

const limitMs = 100;

/**
 * Runs a function that does not wait, and throws if it takes too long. Some regular expressions take for ever on some texts, and would
 * block the process. The time limit of a `vm` context ends them too, also in a function from outside the context.
 */
export function withinTime<Result>(work: () => Result, timeout = limitMs): Result {
  return runInNewContext("work()", { work }, { timeout });
}

/** Tells whether a text is a regular expression. */
export function isPattern(source: unknown): boolean {
  try {
    return new RegExp(String(source)) !== undefined;
  } catch {
    return false;
  }
}
