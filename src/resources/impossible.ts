import type { Db } from "../db/sql.ts";
import { ResourceError } from "./errors.ts";
import { listResources } from "./resources.ts";

/**
 * Returns the error for a request that can never be served. The error names the unknown resource, or the resource whose capacity is too
 * small.
 */
export async function explainImpossible(db: Db, needs: [name: string, amount: number][]): Promise<ResourceError> {
  const resources = new Map((await listResources(db)).map((resource) => [resource.name, resource]));
  const unknown = needs.find(([name]) => !resources.has(name));
  if (unknown) return new ResourceError(unknownSentence(unknown[0], [...resources.keys()]));
  for (const [name, amount] of needs) {
    const resource = resources.get(name);
    if (resource && amount > resource.capacity)
      return new ResourceError(`No run can get ${amount} of "${name}", because its capacity is ${resource.capacity}.`);
  }
  return new ResourceError("The limits of the resources changed while the run asked for them.");
}

/** Returns the sentence for a resource name that does not exist. `names` are the existing names. */
export function unknownSentence(name: string, names: string[]): string {
  const known = names.length > 0 ? `There are ${names.map((one) => `"${one}"`).join(", ")}.` : "There are none.";
  return `There is no resource "${name}". ${known} Add it to ensemble.resources in langgraph.json.`;
}
