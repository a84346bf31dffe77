import { AsyncLocalStorage } from "node:async_hooks";

/** Returns the service's objection to the name of a resource, or undefined if the name is accepted. */
export type NeedsCheck = (resource: string) => string | undefined;

// Patterns cannot import the service, so both use this global symbol. graphs/agent/needs.ts reads the check that is stored under it.
const key = Symbol.for("ensemble.needs");
const place = globalThis as { [key]?: AsyncLocalStorage<NeedsCheck> };

/**
 * Calls `work`, which validates contexts and inputs of patterns. During this call, the patterns' schemas pass each resource name that they
 * find in `needs` to `check`. If `check` returns an objection, the schemas report it as a problem of that name.
 */
export function checkingNeeds<Result>(check: NeedsCheck, work: () => Result): Result {
  place[key] ??= new AsyncLocalStorage();
  return place[key].run(check, work);
}
