import { AsyncLocalStorage } from "node:async_hooks";
import type { AnyGuard } from "./in-code.ts";

const present = new AsyncLocalStorage<AnyGuard[]>();

/**
 * Returns the output guards of the pattern that is running the current code. If there are any, the pattern's agents hold their tokens back.
 */
export const wholeOutputGuards = (): AnyGuard[] => present.getStore() ?? [];

/** Runs work, such as that of a judge, without the output guards of the pattern. */
export const unguarded = <Result>(work: () => Result): Result => present.run([], work);

/** Runs work with these output guards of a pattern. */
export const guardedBy = <Result>(guards: AnyGuard[], work: () => Result): Result => present.run(guards, work);
