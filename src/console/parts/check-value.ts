import { BrokenJson, choicesOf, isObject, type JsonSchema, type JsonType, kindOf, resolve, variantsOf } from "./json-schema.ts";

/** The problems of a value, by the JSON pointer of the field. "" stands for the value itself, and "/age" for its field `age`. */
export type Problems = Map<string, string>;

const words: Record<JsonType, string> = {
  string: "Enter a text.",
  number: "Enter a number.",
  integer: "Enter a whole number.",
  boolean: "Choose yes or no.",
  object: "Enter an object.",
  array: "Enter a list.",
  null: "This must be empty.",
};

/** Returns the problems of an entered value. Does not check every keyword of the schema, because the service validates the value again. */
export function checkValue(given: JsonSchema, root: JsonSchema, value: unknown, path = ""): Problems {
  const schema = resolve(given, root);
  const kind = kindOf(schema);
  if (value instanceof BrokenJson) return one(path, "This is not JSON.");
  if (value === undefined && kind !== "any") return one(path, "This field is required.");
  if (kind === "choice") {
    const isKnown = choicesOf(schema).some((choice) => JSON.stringify(choice) === JSON.stringify(value));
    return isKnown ? none() : one(path, `Choose one of: ${choicesOf(schema).map(String).join(", ")}.`);
  }
  if (kind === "variants") return checkVariants(variantsOf(schema, root) ?? [], root, value, path);
  const type = schema.type as JsonType | undefined;
  if (type && !isOfType(type, value)) return one(path, words[type] ?? "This has the wrong type.");
  if (isObject(value)) return checkObject(schema, root, value, path);
  if (Array.isArray(value)) return checkList(schema, root, value, path);
  const problem =
    typeof value === "number" ? problemOfNumber(schema, value) : typeof value === "string" ? problemOfText(schema, value) : "";
  return problem ? one(path, problem) : none();
}

const none = (): Problems => new Map();
const one = (path: string, problem: string): Problems => new Map([[path, problem]]);
const join = (all: Problems[]): Problems => new Map(all.flatMap((problems) => [...problems]));

function isOfType(type: JsonType, value: unknown): boolean {
  if (type === "integer") return Number.isInteger(value);
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isObject(value);
  return type === "null" ? value === null : typeof value === type;
}

/** Returns the index of the alternative that matches a value, or else of the alternative that matches it best. */
export function variantOf(variants: JsonSchema[], root: JsonSchema, value: unknown): number {
  const found = variants.map((variant) => checkValue(variant, root, value));
  const fitting = found.findIndex((problems) => problems.size === 0);
  if (fitting >= 0) return fitting;
  const isNear = (problems: Problems) => !problems.has("") && !variantsMarkOther(problems);
  const near = found.findIndex(isNear);
  return near >= 0
    ? near
    : Math.max(
        0,
        found.findIndex((problems) => !problems.has("")),
      );
}

const variantsMarkOther = (problems: Problems) => [...problems.values()].some((problem) => problem.startsWith("Choose one of"));

function checkVariants(variants: JsonSchema[], root: JsonSchema, value: unknown, path: string): Problems {
  const variant = variants[variantOf(variants, root, value)];
  return variant ? checkValue(variant, root, value, path) : none();
}

function checkObject(schema: JsonSchema, root: JsonSchema, value: Record<string, unknown>, path: string): Problems {
  const { properties = {}, required = [], additionalProperties } = schema;
  const missing = required.filter((name) => value[name] === undefined).map((name) => one(`${path}/${name}`, "This field is required."));
  const present = Object.entries(value).filter(([, item]) => item !== undefined);
  const inside = present.map(([name, item]) => {
    const property = properties[name] ?? (isObject(additionalProperties) ? additionalProperties : undefined);
    if (!property) return additionalProperties === false ? one(`${path}/${name}`, "There is no such field.") : none();
    return checkValue(property, root, item, `${path}/${name}`);
  });
  return join([...missing, ...inside]);
}

function checkList(
  { items, minItems = 0, maxItems = Number.POSITIVE_INFINITY }: JsonSchema,
  root: JsonSchema,
  value: unknown[],
  path: string,
) {
  if (value.length < minItems) return one(path, `Add at least ${minItems}.`);
  if (value.length > maxItems) return one(path, `At most ${maxItems} are allowed.`);
  return isObject(items) ? join(value.map((item, index) => checkValue(items, root, item, `${path}/${index}`))) : none();
}

function problemOfNumber({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: JsonSchema, value: number): string {
  if (minimum !== undefined && value < minimum) return `Enter at least ${minimum}.`;
  if (maximum !== undefined && value > maximum) return `Enter at most ${maximum}.`;
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) return `Enter more than ${exclusiveMinimum}.`;
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) return `Enter less than ${exclusiveMaximum}.`;
  const isMultiple = !multipleOf || Math.abs(value / multipleOf - Math.round(value / multipleOf)) < 1e-9;
  return isMultiple ? "" : `Enter a multiple of ${multipleOf}.`;
}

function problemOfText({ minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern }: JsonSchema, value: string): string {
  const length = [...value].length;
  if (length < minLength) return minLength === 1 ? "Enter a text." : `Enter at least ${minLength} characters.`;
  if (length > maxLength) return `Enter at most ${maxLength} characters. These are ${length}.`;
  return pattern === undefined || matches(pattern, value) ? "" : `This does not match the pattern ${pattern}.`;
}

/**
 * Tells whether a value matches a pattern. If the browser cannot read the pattern, the value counts as matching, because the service checks
 * the value again.
 */
function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true;
  }
}
