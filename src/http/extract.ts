/** Picks values out of a document by paths such as `values.messages[-1].content`. What is not there is null. */
export function extractPaths(document: object, paths: Record<string, string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(paths).map(([alias, path]) => [alias, extractPath(document, path)]));
}

function extractPath(document: object, path: string): unknown {
  const steps = path.match(/[^.[\]]+/g) ?? [];
  return steps.reduce<unknown>(follow, document) ?? null;
}

function follow(value: unknown, step: string): unknown {
  if (Array.isArray(value)) return value.at(Number(step));
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
  return (value as Record<string, unknown>)[step];
}
