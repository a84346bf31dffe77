export type JsonType = "string" | "number" | "integer" | "boolean" | "object" | "array" | "null";

/** The part of JSON Schema that a form supports. The service checks the other keywords, because it validates each value again. */
export interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  type?: JsonType | JsonType[];
  title?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema | boolean;
  prefixItems?: unknown[];
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  oneOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  allOf?: JsonSchema[];
}

/** The way in which a value is entered. The kind "any" has no form, so its value is entered as JSON. */
export type Kind = JsonType | "choice" | "variants" | "any";

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof BrokenJson);

/**
 * A text that a person has entered as JSON, but that is not valid JSON. The form stores this object as the value, so that `checkValue` can
 * report the problem.
 */
export class BrokenJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toJSON(): string {
    return this.text;
  }
}

/** Returns a value as a schema. Returns undefined if the value is not an object. */
export const toSchema = (value: unknown): JsonSchema | undefined => (isObject(value) ? (value as JsonSchema) : undefined);

/** Follows references and merges `allOf`. References may form a circle, so at most `hops` references are followed. */
export function resolve(schema: JsonSchema, root: JsonSchema, hops = 20): JsonSchema {
  if (schema.$ref !== undefined && hops > 0) {
    const { $ref, ...beside } = schema;
    return resolve({ ...lookUp(root, $ref), ...beside }, root, hops - 1);
  }
  if (!schema.allOf || hops === 0) return schema;
  const { allOf, ...rest } = schema;
  return allOf.map((part) => resolve(part, root, hops - 1)).reduce(merge, rest);
}

function lookUp(root: JsonSchema, ref: string): JsonSchema {
  const keys = ref.replace(/^#\/?/, "").split("/").filter(Boolean);
  let found: unknown = root;
  for (const key of keys) found = isObject(found) ? found[decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~")] : undefined;
  return toSchema(found) ?? {};
}

const merge = (one: JsonSchema, other: JsonSchema): JsonSchema => ({
  ...other,
  ...one,
  ...((one.properties || other.properties) && { properties: { ...other.properties, ...one.properties } }),
  ...((one.required || other.required) && { required: [...(other.required ?? []), ...(one.required ?? [])] }),
});

/** Returns the alternatives of a resolved schema. Returns undefined if the schema has no alternatives. */
export function variantsOf(schema: JsonSchema, root: JsonSchema): JsonSchema[] | undefined {
  const { oneOf, anyOf, type, ...rest } = schema;
  const variants = oneOf ?? anyOf;
  if (variants) return variants.map((variant) => merge(resolve(variant, root), withoutTexts(rest)));
  if (!Array.isArray(type)) return undefined;
  return type.map((one) => (one === "null" ? { type: one } : { ...rest, type: one }));
}

/**
 * Returns a schema without its title, description and default. These three describe a schema with alternatives as a whole, so the
 * alternatives must not inherit them.
 */
const withoutTexts = ({ title, description, default: _, ...rest }: JsonSchema): JsonSchema => rest;

/** Returns the way in which a value of a resolved schema is entered. */
export function kindOf(schema: JsonSchema): Kind {
  const { type, properties, prefixItems, items } = schema;
  if (schema.enum || schema.const !== undefined) return "choice";
  if (schema.oneOf || schema.anyOf || Array.isArray(type)) return "variants";
  if (type === "object" || properties) return properties ? "object" : "any";
  if (type === "array" || items) return prefixItems || !toSchema(items) ? "any" : "array";
  return type ?? "any";
}

/** Returns the values from which a person chooses, for a schema of the kind "choice". */
export const choicesOf = ({ enum: all, const: only }: JsonSchema): unknown[] => all ?? [only];

/** Returns the initial value of a form: the defaults of all fields, and empty values for required objects, lists and booleans. */
export function initialValue(given: JsonSchema, root: JsonSchema): unknown {
  const schema = resolve(given, root);
  if (schema.default !== undefined) return schema.default;
  const kind = kindOf(schema);
  if (kind === "choice") return choicesOf(schema).length === 1 ? choicesOf(schema)[0] : undefined;
  if (kind === "variants") return initialValue(variantsOf(schema, root)?.[0] ?? {}, root);
  if (kind === "object") return initialObject(schema, root);
  if (kind === "array") return [];
  if (kind === "boolean") return false;
  return kind === "null" ? null : undefined;
}

function initialObject({ properties = {}, required = [] }: JsonSchema, root: JsonSchema): Record<string, unknown> {
  const entries = Object.entries(properties)
    .filter(([name, property]) => required.includes(name) || resolve(property, root).default !== undefined)
    .map(([name, property]) => [name, initialValue(property, root)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Returns a short name for an alternative, such as its title, its constant or its type. */
export function nameOfVariant(variant: JsonSchema, root: JsonSchema): string {
  const { title, description, type, properties = {}, required = [] } = resolve(variant, root);
  if (title) return title;
  const marks = Object.entries(properties).flatMap(([, property]) => (property.const === undefined ? [] : [String(property.const)]));
  if (marks.length > 0) return marks.join(" ");
  if (variant.const !== undefined) return JSON.stringify(variant.const);
  if (description && description.length <= 40) return description;
  if (type === "null") return "None";
  if (required.length > 0) return required.join(", ");
  const names: Partial<Record<string, string>> = {
    string: "Text",
    number: "Number",
    integer: "Whole number",
    boolean: "Yes or no",
    array: "List",
    object: "Fields",
  };
  return names[String(type)] ?? "Anything";
}
