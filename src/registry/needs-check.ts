import { AsyncLocalStorage } from "node:async_hooks";

/** Returns the objection to the name of a resource that work needs, or undefined if the name is accepted. */
export type NeedsCheck = (resource: string) => string | undefined;

// The key is a global symbol, because patterns cannot import the service. The other half is in graphs/agent/needs.ts.
const key = Symbol.for("ensemble.needs");
const place = globalThis as { [key]?: AsyncLocalStorage<NeedsCheck> };

/** Calls `work`. The schemas of patterns that it applies pass each resource in `needs` to the check, and refuse it on an objection. */
export function checkingNeeds<Result>(check: NeedsCheck, work: () => Result): Result {
  place[key] ??= new AsyncLocalStorage();
  return place[key].run(check, work);
}
