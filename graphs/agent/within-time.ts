import { runInNewContext } from "node:vm";

const limitMs = 100;

/**
 * Runs a synchronous function, and throws if it takes too long. On some texts, some regular expressions would never end, and would block
 * the process. The time limit of a `vm` context stops them, even in a function from outside the context.
 */
export function withinTime<Result>(work: () => Result, timeout = limitMs): Result {
  return runInNewContext("work()", { work }, { timeout });
}

/** Tells whether a text is a valid regular expression. */
export function isPattern(source: unknown): boolean {
  try {
    return new RegExp(String(source)) !== undefined;
  } catch {
    return false;
  }
}
