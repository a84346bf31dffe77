import { fillArray } from "./arrays.ts";
import { chooseBoolean, chooseOption, isAboutTrouble } from "./choose.ts";
import { allowsNull, isNull, resolve, type Schema, textOf, typeOf } from "./json-schema.ts";
import { readLabelled } from "./labelled.ts";
import type { Material } from "./material.ts";
import { fillNumber } from "./numbers.ts";
import { type Filling, fieldWords, nameWords, type Place, under } from "./place.ts";
import { fillString } from "./strings.ts";
import { overlap, phraseOf } from "./words.ts";

/** The depth below which optional fields are omitted, because a schema may contain itself. */
const optionalDepth = 5;
const maxDepth = 40;

/** Returns a value that fits the schema, made from the prompt's own words. The same prompt and schema give the same value. */
export function fillSchema(schema: Schema, material: Material, about = material.task, isCall = false): unknown {
  const filling: Filling = { material, root: schema, isCall, used: new Set(), ids: [] };
  return fill(schema, { name: "", description: "", about, path: "", depth: 0, index: 0 }, filling);
}

export function fill(given: Schema, place: Place, filling: Filling): unknown {
  const schema = resolve(given, filling.root);
  if ("const" in schema) return schema.const;
  if (place.depth > maxDepth) return null;
  const here = { ...place, description: schema.description ?? place.description };
  if (schema.enum) return fillEnum(schema, here, filling);
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return fillVariant(schema, variants, here, filling);
  if (allowsNull(schema) && staysNull(here, filling)) return null;
  if (schema.default !== undefined && !isMentioned(here, filling)) return schema.default;
  switch (typeOf(schema)) {
    case "object":
      return fillObject(schema, here, filling);
    case "array":
      return fillArray(schema, here, filling, fill);
    case "number":
    case "integer":
      return fillNumber(schema, here, filling);
    case "boolean":
      return chooseBoolean(here, filling);
    case "null":
      return null;
    default:
      return fillString(schema, here, filling);
  }
}

function fillEnum({ enum: options = [], default: fallback }: Schema, place: Place, filling: Filling): unknown {
  if (fallback !== undefined && !isMentioned(place, filling)) return fallback;
  const candidates = options.length > 1 && !staysNull(place, filling) ? options.filter((option) => option !== null) : options;
  return chooseOption(candidates, String, place, filling) ?? null;
}

/**
 * Returns a value for one of several schemas: the one whose names and constants the prompt mentions. Deep inside, it prefers a schema
 * without nesting.
 */
function fillVariant(schema: Schema, variants: Schema[], place: Place, filling: Filling): unknown {
  const { anyOf: _, oneOf: __, ...shared } = schema;
  const nullable = variants.some((variant) => isNull(resolve(variant, filling.root)));
  if (nullable && staysNull(place, filling)) return null;
  if (schema.default !== undefined && !isMentioned(place, filling)) return schema.default;
  const real = variants.filter((variant) => !isNull(resolve(variant, filling.root)));
  const simple = real.filter((variant) => !["object", "array"].includes(typeOf(resolve(variant, filling.root))));
  const eligible = place.depth >= optionalDepth && simple.length > 0 ? simple : real;
  const chosen = chooseOption(eligible, (variant) => textOf(variant, filling.root), place, filling) ?? {};
  return fill({ allOf: [shared, chosen] }, place, filling);
}

/** Tells whether a nullable field stays null. It does when the prompt does not mention it, or when it is about a problem. */
function staysNull(place: Place, filling: Filling): boolean {
  return place.depth >= optionalDepth || isAboutTrouble(place) || (!isMentioned(place, filling) && place.name !== "");
}

function isMentioned(place: Place, { material }: Filling): boolean {
  return overlap(nameWords(place), material.words) > 0 || overlap(fieldWords(place), material.taskWords) > 0;
}

function fillObject(schema: Schema, place: Place, filling: Filling): Record<string, unknown> {
  const { properties = {}, required = [] } = schema;
  const names = [...new Set([...Object.keys(properties), ...required])];
  const wanted = names.filter((name) => required.includes(name) || isWorthFilling(name, properties[name], place, filling));
  const filled: Record<string, unknown> = {};
  const others = typeof schema.additionalProperties === "object" ? schema.additionalProperties : {};
  for (const name of wanted) filled[name] = fill(properties[name] ?? others, under(place, name), filling);
  const missing = (schema.minProperties ?? (names.length === 0 ? 1 : 0)) - wanted.length;
  if (missing > 0) addEntries(filled, schema, missing, place, filling);
  return filled;
}

function isWorthFilling(name: string, property: Schema | undefined, place: Place, filling: Filling): boolean {
  const here = under(place, name, resolve(property, filling.root).description);
  if (place.depth >= optionalDepth) return false;
  return overlap(nameWords(here), filling.material.taskWords) > 0 || readLabelled(here, filling.material) !== undefined;
}

/** Adds keys that the schema does not name, made from the words of the prompt. */
function addEntries(filled: Record<string, unknown>, schema: Schema, count: number, place: Place, filling: Filling): void {
  const { additionalProperties, propertyNames = {} } = schema;
  if (additionalProperties === undefined || additionalProperties === false) return;
  const values = typeof additionalProperties === "object" ? additionalProperties : { type: "string" };
  const options = resolve(propertyNames, filling.root).enum?.map(String);
  const words = phraseOf(filling.material.data[0] ?? place.about, 12)
    .split(" ")
    .map((word) => word.toLowerCase());
  for (let index = 0; index < count; index++) {
    const free = (options ?? words).filter((name) => !(name in filled));
    const key = propertyNames.pattern ? String(fill({ ...propertyNames, type: "string" }, { ...place, index }, filling)) : free[0];
    const name = key ?? `entry${index + 1}`;
    filled[name] = fill(values, { ...under(place, name), index }, filling);
  }
}
