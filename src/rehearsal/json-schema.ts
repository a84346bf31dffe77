/** The part of JSON Schema that a request may use. */
export interface Schema {
  type?: string | string[];
  description?: string;
  title?: string;
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  propertyNames?: Schema;
  minProperties?: number;
  items?: Schema | Schema[] | boolean;
  prefixItems?: Schema[];
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  $ref?: string;
}

/** Returns a schema with `$ref` and `allOf` at its top merged in. */
export function resolve(schema: Schema | boolean | undefined, root: Schema, depth = 0): Schema {
  if (typeof schema !== "object" || schema === null || depth > 50) return {};
  const { $ref, allOf, ...own } = schema;
  const parts = [...($ref === undefined ? [] : [lookUp($ref, root)]), ...(allOf ?? [])];
  return parts.map((part) => resolve(part, root, depth + 1)).reduceRight((all, part) => merge(part, all), own as Schema);
}

function lookUp(pointer: string, root: Schema): Schema {
  const steps = pointer.replace(/^#\/?/, "").split("/").filter(Boolean);
  return steps.reduce<unknown>(
    (at, step) => Object(at)[decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~")],
    root,
  ) as Schema;
}

function merge(base: Schema, over: Schema): Schema {
  const merged = { ...base, ...over };
  if (base.properties && over.properties) {
    const shared = Object.keys(over.properties).filter((name) => base.properties?.[name]);
    const both = shared.map((name) => [name, { allOf: [base.properties?.[name], over.properties?.[name]] }]);
    merged.properties = { ...base.properties, ...over.properties, ...Object.fromEntries(both) };
  }
  if (base.required && over.required) merged.required = [...new Set([...base.required, ...over.required])];
  if (base.anyOf && over.anyOf) merged.anyOf = base.anyOf.flatMap((one) => (over.anyOf ?? []).map((other) => ({ allOf: [one, other] })));
  if (base.enum && over.enum) merged.enum = over.enum.filter((option) => base.enum?.includes(option));
  if (base.minimum !== undefined && over.minimum !== undefined) merged.minimum = Math.max(base.minimum, over.minimum);
  if (base.maximum !== undefined && over.maximum !== undefined) merged.maximum = Math.min(base.maximum, over.maximum);
  return merged;
}

/** Returns the type of a schema, even where it is implicit. It is null only when nothing else is allowed. */
export function typeOf(schema: Schema): string {
  const types = [schema.type ?? []].flat();
  const declared = types.find((type) => type !== "null") ?? types[0];
  if (declared) return declared;
  if (schema.properties || schema.additionalProperties || schema.propertyNames) return "object";
  if (schema.items || schema.prefixItems) return "array";
  if (schema.minimum !== undefined || schema.maximum !== undefined || schema.multipleOf !== undefined) return "number";
  return "string";
}

export const isNull = (schema: Schema): boolean => schema.type === "null" || schema.const === null;
export const allowsNull = (schema: Schema): boolean => Array.isArray(schema.type) && schema.type.includes("null");

/** Returns the words in a schema that tell its purpose: names, descriptions and constants. */
export function textOf(schema: Schema, root: Schema, depth = 0): string {
  const { title = "", description = "", const: constant = "", properties = {}, enum: options = [] } = resolve(schema, root);
  const inner = depth > 1 ? [] : Object.entries(properties).map(([name, part]) => `${name} ${textOf(part, root, depth + 1)}`);
  return [title, description, String(constant), ...options.map(String), ...inner].join(" ");
}
