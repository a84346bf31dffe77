import { isObject, type JsonSchema, resolve, toSchema } from "../../../parts/json-schema.ts";

/** The way in which a person enters the input of a graph: as one message, or as fields. */
export type Shape = { kind: "messages" } | { kind: "fields"; schema: JsonSchema };

/** Returns the way in which the input of a graph is entered. If the input is only a conversation, the person enters one message. */
export function shapeOf(schema: unknown): Shape {
  const given = toSchema(schema) ?? {};
  const root = resolve(given, given);
  return isOnlyMessages(root) ? { kind: "messages" } : { kind: "fields", schema: withoutNull(root) };
}

function isOnlyMessages({ properties = {} }: JsonSchema): boolean {
  const names = Object.keys(properties);
  return names.length === 1 && names[0] === "messages";
}

/** Returns the schema of a context for the form. No field is required, because the service fills in missing fields. */
export function contextShape(schema: unknown): JsonSchema | undefined {
  const given = toSchema(schema);
  if (!given) return undefined;
  const { required: _, ...root } = resolve(given, given);
  return root.properties && Object.keys(root.properties).length > 0 ? withoutNull(root) : undefined;
}

/**
 * Removes null from the types of fields whose default is null. A person can leave such a field out instead, so the form need not offer null
 * as a choice.
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

/** Returns an example of an input, from the assistant's metadata or else from the schema. Returns undefined if neither has one. */
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

/** Returns the fields that differ from their defaults. The service fills in the other fields, so the request stays short. */
export function withoutDefaults(value: unknown, { properties = {} }: JsonSchema): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name, item]) => !isSame(item, properties[name]?.default)));
}

/** Returns the fields that a person has changed. The other fields are not sent, because the assistant already has them. */
export function changesOf(value: unknown, initial: unknown): Record<string, unknown> {
  const before = isObject(initial) ? initial : {};
  return Object.fromEntries(Object.entries(isObject(value) ? value : {}).filter(([name, item]) => !isSame(item, before[name])));
}

/** Converts the path of a field into a JSON pointer. For example, `input.scenarios[0].name` becomes `/scenarios/0/name`. */
export const pointerOf = (field: string, part: "input" | "context"): string =>
  field
    .slice(part.length)
    .replaceAll(/\[(\d+)\]/g, "/$1")
    .replaceAll(".", "/");
