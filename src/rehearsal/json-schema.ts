import type { JsonSchema } from "json-schema-faker";

export type Schema = Exclude<JsonSchema, boolean>;

/** Returns a schema with its own `$ref` and `allOf` resolved. The `$ref` and `allOf` of nested schemas are kept. */
export function resolve(schema: JsonSchema | undefined, root: Schema, depth = 0): Schema {
  if (typeof schema !== "object" || depth > 20) return {};
  const { $ref, allOf = [], ...own } = schema;
  const parts = $ref === undefined ? allOf : [lookUp($ref, root), ...allOf];
  return parts.map((part) => resolve(part, root, depth + 1)).reduce(merge, own);
}

function lookUp(pointer: string, root: Schema): Schema {
  const steps = decodeURIComponent(pointer).split("/").slice(1);
  return steps.reduce<unknown>((at, step) => Object(at)[step.replaceAll("~1", "/").replaceAll("~0", "~")], root) as Schema;
}

function merge(one: Schema, other: Schema): Schema {
  const merged = { ...other, ...one };
  const names = Object.keys({ ...one.properties, ...other.properties });
  const bothOf = (name: string) => ({ allOf: [one.properties?.[name] ?? {}, other.properties?.[name] ?? {}] });
  if (names.length > 0) merged.properties = Object.fromEntries(names.map((name) => [name, bothOf(name)]));
  if (one.required && other.required) merged.required = [...one.required, ...other.required];
  if (one.minimum !== undefined && other.minimum !== undefined) merged.minimum = Math.max(one.minimum, other.minimum);
  if (one.maximum !== undefined && other.maximum !== undefined) merged.maximum = Math.min(one.maximum, other.maximum);
  return merged;
}

/**
 * Returns the type of a schema. If the schema does not state its type, derives the type from other keywords. If the schema allows null,
 * returns "null".
 */
export function typeOf({ type, properties, required, additionalProperties, items, prefixItems, ...schema }: Schema): string {
  const types = [type ?? []].flat();
  if (types.length > 0) return types.find((one) => one === "null") ?? String(types[0]);
  if (properties || required || additionalProperties) return "object";
  if (items || prefixItems) return "array";
  return schema.minimum === undefined && schema.maximum === undefined ? "string" : "number";
}
