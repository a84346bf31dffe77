import { AsyncLocalStorage } from "node:async_hooks";
import type { AnyGuard } from "./in-code.ts";

const present = new AsyncLocalStorage<AnyGuard[]>();

/**
 * Returns the output guards of the pattern in which the current code runs, and of the patterns around it. If there are any, agents do not
 * stream their tokens.
 */
export const wholeOutputGuards = (): AnyGuard[] => present.getStore() ?? [];

/**
 * Calls a function without the output guards of the pattern. Judges are called in this way, because nobody but a guard reads their answers.
 */
export const unguarded = <Result>(work: () => Result): Result => present.run([], work);

/** Calls a function. While the function runs, `wholeOutputGuards` returns the given guards. */
export const guardedBy = <Result>(guards: AnyGuard[], work: () => Result): Result => present.run(guards, work);
