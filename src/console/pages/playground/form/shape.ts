import { isObject, type JsonSchema, resolve, toSchema } from "../../../parts/json-schema.ts";

/** How the input of a graph is entered. */
export type Shape = { kind: "messages" } | { kind: "fields"; schema: JsonSchema };

/** Returns how the input of a graph is entered. An input that is only a conversation is one text. */
export function shapeOf(schema: unknown): Shape {
  const given = toSchema(schema) ?? {};
  const root = resolve(given, given);
  return isOnlyMessages(root) ? { kind: "messages" } : { kind: "fields", schema: withoutNull(root) };
}

function isOnlyMessages({ properties = {} }: JsonSchema): boolean {
  const names = Object.keys(properties);
  return names.length === 1 && names[0] === "messages";
}

/** Returns the schema of a context. The service fills in what is missing, so nothing in it is required. */
export function contextShape(schema: unknown): JsonSchema | undefined {
  const given = toSchema(schema);
  if (!given) return undefined;
  const { required: _, ...root } = resolve(given, given);
  return root.properties && Object.keys(root.properties).length > 0 ? withoutNull(root) : undefined;
}

/**
 * Makes fields plain whose default is null. To leave such a field out means the same as null, so a person need not choose between a value
 * and null first.
 */
function withoutNull(schema: JsonSchema): JsonSchema {
  const changed = { ...schema };
  if (schema.properties) changed.properties = mapValues(schema.properties, (property) => withoutNull(plain(property)));
  if (schema.$defs) changed.$defs = mapValues(schema.$defs, withoutNull);
  const items = toSchema(schema.items);
  if (items) changed.items = withoutNull(items);
  return changed;
}

const mapValues = (schemas: Record<string, JsonSchema>, change: (schema: JsonSchema) => JsonSchema) =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, isObject(schema) ? change(schema) : schema]));

function plain(property: JsonSchema): JsonSchema {
  const { default: given, anyOf, type, ...rest } = property;
  if (given !== null) return property;
  if (Array.isArray(type)) {
    const others = type.filter((one) => one !== "null");
    return others.length === 1 && others[0] ? { ...rest, type: others[0] } : property;
  }
  const others = anyOf?.filter((variant) => variant.type !== "null") ?? [];
  if (others.length === 1 && others[0]) return { ...others[0], ...rest };
  return anyOf ? property : { ...rest, ...(type && { type }) };
}

/** Returns the example of an input: that of a preset, or that of the schema. */
export function exampleOf(metadata: unknown, schema: unknown): unknown {
  if (isObject(metadata) && isObject(metadata.example)) return withoutNulls(metadata.example);
  const given = isObject(schema) ? schema : {};
  if (Array.isArray(given.examples) && given.examples.length > 0) return given.examples[0];
  const properties = Object.entries(isObject(given.properties) ? given.properties : {});
  const found = properties.flatMap(([name, property]) =>
    isObject(property) && Array.isArray(property.examples) && property.examples.length > 0 ? [[name, property.examples[0]]] : [],
  );
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

const withoutNulls = (value: Record<string, unknown>) => Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null));

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** Returns the fields that differ from their defaults. The service fills in the defaults, so the request stays short. */
export function withoutDefaults(value: unknown, { properties = {} }: JsonSchema): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name, item]) => !isSame(item, properties[name]?.default)));
}

/** Returns the fields that a person has changed. An assistant's own context is not sent again. */
export function changesOf(value: unknown, initial: unknown): Record<string, unknown> {
  const before = isObject(initial) ? initial : {};
  return Object.fromEntries(Object.entries(isObject(value) ? value : {}).filter(([name, item]) => !isSame(item, before[name])));
}

/** Returns the place of a field in the form, as a JSON pointer: `input.scenarios[0].name` is `/scenarios/0/name`. */
export const pointerOf = (field: string, part: "input" | "context"): string =>
  field
    .slice(part.length)
    .replaceAll(/\[(\d+)\]/g, "/$1")
    .replaceAll(".", "/");
