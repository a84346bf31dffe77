import { AsyncLocalStorage } from "node:async_hooks";
import type { AnyGuard } from "./in-code.ts";

const present = new AsyncLocalStorage<AnyGuard[]>();

/**
 * Returns the output guards of the pattern whose code is running, and of the patterns that run this pattern. If the list is not empty,
 * agents do not stream their tokens.
 */
export const wholeOutputGuards = (): AnyGuard[] => present.getStore() ?? [];

/**
 * Calls a function. While the function runs, `wholeOutputGuards` returns no guards. Judges run in this way, because only guards read their
 * answers.
 */
export const unguarded = <Result>(work: () => Result): Result => present.run([], work);

/** Calls a function. While the function runs, `wholeOutputGuards` returns the given guards. */
export const guardedBy = <Result>(guards: AnyGuard[], work: () => Result): Result => present.run(guards, work);
