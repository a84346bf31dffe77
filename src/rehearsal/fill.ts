import { hash } from "node:crypto";
import { generateSync, type JsonSchema } from "json-schema-faker";
import { resolve, type Schema, typeOf } from "./json-schema.ts";
import type { Prompt } from "./prompt.ts";
import { allWords, expressionIn } from "./words.ts";

/** Describes where in the answer a value is: under which name, at which index of the nearest list, and how deep. */
interface Place {
  name: string;
  index?: number;
  depth: number;
}

interface Source extends Prompt {
  root: Schema;
  isCall: boolean;
  knownIds: string[];
}

/**
 * The depth at which the answer begins to end its nesting, because a schema may contain itself. From this depth on, lists have as few
 * elements as allowed. Unions use a variant that is neither an object nor a list, if they have one.
 */
const deep = 6;

/** Returns a value that matches the schema. The value has no optional fields, and its free texts repeat the prompt. */
export function fillSchema(root: Schema, prompt: Prompt, isCall = false): unknown {
  return fill(root, { name: "answer", depth: 0 }, { ...prompt, root, isCall, knownIds: [] });
}

function fill(given: JsonSchema | undefined, place: Place, source: Source): unknown {
  const schema = resolve(given, source.root);
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return choose(schema.enum, place, source);
  const variant = variantOf(schema, place, source);
  if (variant) return fill({ allOf: [variant, { ...schema, anyOf: undefined, oneOf: undefined }] }, place, source);
  const type = place.depth > 3 * deep ? "null" : typeOf(schema);
  if (type === "object") return fillObject(schema, place, source);
  if (type === "array") return fillArray(schema, place, source);
  if (type === "number" || type === "integer") return fillNumber(schema, type);
  if (type === "string") return fillString(schema, place, source);
  return type === "null" ? null : true;
}

/**
 * Chooses one of the options. Options whose words occur in the prompt are preferred, in the order of the prompt. For the elements of a
 * list, the first element gets the first option, the second element gets the second, and so on.
 */
function choose(options: unknown[], { index = 0 }: Place, { text }: Source): unknown {
  const words = ` ${allWords(text).join(" ")} `;
  const at = (option: unknown) => words.indexOf(` ${allWords(String(option)).join(" ")} `);
  const named = options.filter((option) => at(option) >= 0).sort((one, other) => at(one) - at(other));
  return [...named, ...options.filter((option) => !named.includes(option))][index % options.length];
}

function variantOf({ anyOf, oneOf }: Schema, { depth }: Place, { root }: Source): JsonSchema | undefined {
  const variants = anyOf ?? oneOf ?? [];
  const isOf = (types: string[]) => (variant: JsonSchema) => types.includes(typeOf(resolve(variant, root)));
  const simple = depth > deep ? variants.find((variant) => !isOf(["object", "array"])(variant)) : undefined;
  return variants.find(isOf(["null"])) ?? simple ?? variants[0];
}

function fillObject(schema: Schema, { name: owner, index, depth }: Place, source: Source): Record<string, unknown> {
  const { properties = {}, required = [], additionalProperties: others, propertyNames, minProperties = 0 } = schema;
  const names = [...new Set([...Object.keys(properties).filter((name) => required.includes(name)), ...required])];
  const isRecord = Object.keys(properties).length + names.length === 0 && typeof others === "object";
  for (let number = names.length; number < Math.max(minProperties, Number(isRecord)); number++) {
    const key = { name: `${owner} key`, index: number, depth };
    names.push(String(fill({ type: "string", ...Object(propertyNames) }, key, { ...source, isCall: false })));
  }
  const nameOf = (name: string) => (name === "id" ? `${owner.replace(/s$/, "")}Id` : name);
  const entries = names.map((name) => [name, fill(properties[name] ?? others, { name: nameOf(name), index, depth: depth + 1 }, source)]);
  return Object.fromEntries(entries);
}

function fillArray({ minItems = 0, maxItems = Infinity, ...schema }: Schema, { name, depth }: Place, source: Source): unknown[] {
  const fixed = schema.prefixItems ?? [];
  const length = Math.min(Math.max(fixed.length || (depth < deep ? 2 : 0), minItems), maxItems);
  const items = Array.from({ length }, (_, index) => fill(fixed[index] ?? schema.items, { name, index, depth: depth + 1 }, source));
  return schema.uniqueItems ? [...new Set(items)] : items;
}

/** Returns the allowed number in the middle between the bounds. If a bound is missing, returns the allowed number that is nearest to 1. */
function fillNumber(schema: Schema, type: string): number {
  const step = schema.multipleOf ?? (type === "integer" ? 1 : 0);
  const beside = step || 1e-6; // the distance of the number from an exclusive bound
  const low = Math.max(schema.minimum ?? -1e15, (schema.exclusiveMinimum ?? -1e15) + beside, -1e15);
  const high = Math.min(schema.maximum ?? 1e15, (schema.exclusiveMaximum ?? 1e15) - beside, 1e15);
  const middle = low > -1e14 && high < 1e14 ? (low + high) / 2 : Math.min(Math.max(1, low), high);
  const rounded = step > 0 ? Math.floor(middle / step) * step : middle;
  return Number((rounded < low ? rounded + step : rounded).toPrecision(12));
}

function fillString({ pattern, format = "", minLength = 0, maxLength }: Schema, place: Place, source: Source): string {
  if (pattern || /^(?:date|time|date-time|duration|email|uri|uri-reference|hostname|ipv4|ipv6|uuid)$/.test(format)) {
    const seed = Number.parseInt(hash("sha256", `${source.text} ${place.name} ${place.index}`).slice(0, 8), 16);
    const generate = (schema: Schema) => String(generateSync({ type: "string", minLength, maxLength, ...schema }, { seed }));
    const text = generate({ pattern, format });
    return pattern && !new RegExp(pattern).test(text) ? generate({ pattern }) : text;
  }
  const text = writeText(place, source);
  return text.padEnd(minLength, ` ${text || "."}`).slice(0, maxLength);
}

/**
 * Returns a text for a field. In a tool call, this is the URL or the expression from the prompt if the field needs one, and otherwise the
 * subject of the prompt. In other answers, a field for an id gets a numbered id, and any other field gets a text about the subject.
 */
function writeText({ name, index }: Place, { isCall, task, subject, knownIds }: Source): string {
  const words = allWords(name);
  if (isCall && name === "expression") return expressionIn(task) ?? subject;
  if (isCall) return (name === "url" && /https?:\/\/[^\s"'<>)]+/.exec(task)?.[0]) || subject;
  if (words.at(-1) === "id") return `${words.slice(0, -1).join("-")}-${knownIds.push(name)}`;
  return `Rehearsal ${words.join(" ")}${index === undefined ? "" : ` ${index + 1}`}: ${subject}`;
}
