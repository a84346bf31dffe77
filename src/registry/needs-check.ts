import { AsyncLocalStorage } from "node:async_hooks";

/** Returns the service's objection to the name of a resource, or undefined if the name is accepted. */
export type NeedsCheck = (resource: string) => string | undefined;

// The key is a global symbol, because patterns cannot import the service. graphs/agent/needs.ts uses the same key to read the check.
const key = Symbol.for("ensemble.needs");
const place = globalThis as { [key]?: AsyncLocalStorage<NeedsCheck> };

/**
 * Calls `work`, which validates contexts and inputs. Meanwhile, the schemas of patterns pass each resource name in `needs` to the check. If
 * the check objects to a name, the schemas refuse the name.
 */
export function checkingNeeds<Result>(check: NeedsCheck, work: () => Result): Result {
  place[key] ??= new AsyncLocalStorage();
  return place[key].run(check, work);
}
