import { AsyncLocalStorage } from "node:async_hooks";
import type { AnyGuard } from "./in-code.ts";

const present = new AsyncLocalStorage<AnyGuard[]>();

/** Returns the guards of the pattern's output in which the current code runs. Its agents hold their tokens back if there are any. */
export const wholeOutputGuards = (): AnyGuard[] => present.getStore() ?? [];

/** Does work to which the guards of the pattern do not apply, such as that of a judge. */
export const unguarded = <Result>(work: () => Result): Result => present.run([], work);

/** Does work to which these guards of a pattern's output apply. */
export const guardedBy = <Result>(guards: AnyGuard[], work: () => Result): Result => present.run(guards, work);
