import type { Db } from "../../db/sql.ts";
import type { Registry } from "../../registry/registry.ts";
import type { GraphCallArguments, Issue } from "../../registry/validate.ts";
import { unknownSentence } from "../../resources/impossible.ts";
import { listResourceNames } from "../../resources/resources.ts";

/**
 * Validates the input and the context of a new run against the graph's schemas, and returns the issues. If an agent or a step names a
 * resource that the service does not have, also returns an issue about this name.
 */
export async function findCallIssues(db: Db, registry: Registry, graphId: string, call: GraphCallArguments): Promise<Issue[]> {
  const named = new Set<string>();
  const issues = await registry.validate(graphId, call, (resource) => void named.add(resource));
  if (named.size === 0) return issues;
  const known = await listResourceNames(db);
  if ([...named].every((name) => known.includes(name))) return issues;
  // At this point, the call names a resource that does not exist. A second validation reports where the call names it.
  return registry.validate(graphId, call, (resource) => (known.includes(resource) ? undefined : unknownSentence(resource, known)));
}
