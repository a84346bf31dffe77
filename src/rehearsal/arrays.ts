import { chooseOption, isAboutTrouble } from "./choose.ts";
import { resolve, type Schema, typeOf } from "./json-schema.ts";
import { countOf } from "./labelled.ts";
import type { List } from "./lists.ts";
import { type Filling, fieldWords, nameWords, type Place, under } from "./place.ts";
import { listFor } from "./strings.ts";
import { best, overlap, sentencesOf, wordsOf } from "./words.ts";

type Fill = (schema: Schema, place: Place, filling: Filling) => unknown;

/** Without a number in the prompt, a list has at most this many elements. */
const usual = 4;

/** As many elements as the prompt asks for or has parts, each about a part of its own. */
export function fillArray(schema: Schema, place: Place, filling: Filling, fill: Fill): unknown[] {
  const fixed = schema.prefixItems ?? (Array.isArray(schema.items) ? schema.items : []);
  const tuple = fixed.map((item, index) => fill(item, { ...place, index, depth: place.depth + 1 }, filling));
  if (schema.items === false || (fixed.length > 0 && typeof schema.items !== "object")) return tuple;
  const item = resolve(Array.isArray(schema.items) ? {} : schema.items, filling.root);
  if (isReference(place, item, filling)) return refer(schema, place, filling);
  const parts = partsFor(item, place, filling);
  const count = lengthFor(schema, place, filling, parts.length);
  const free = item.enum && { ...item, enum: [...item.enum] };
  while (tuple.length < count) {
    const index = tuple.length;
    const about = parts[index % parts.length] ?? place.about;
    const value = fill(free ?? item, { ...place, index, about, depth: place.depth + 1 }, filling);
    tuple.push(schema.uniqueItems && tuple.includes(value) ? distinct(value, index) : value);
    if (free && free.enum.length > 1) free.enum = free.enum.filter((option) => option !== value);
  }
  return tuple;
}

const distinct = (value: unknown, index: number) => (typeof value === "number" ? value + index : `${String(value)} ${index + 1}`);

function lengthFor(
  { minItems = 0, maxItems = Number.POSITIVE_INFINITY }: Schema,
  place: Place,
  { material }: Filling,
  parts: number,
): number {
  const asked = countOf(place.name, `${place.description}\n${material.text}`);
  const isEmpty = isAboutTrouble(place) || place.depth > usual;
  const wished = isEmpty ? 0 : (asked ?? Math.min(Math.max(parts, 1), usual));
  return Math.min(Math.max(wished, minItems), maxItems, 1_000);
}

/** Names of other elements, like those that must come first: only ids of this very answer make sense. */
function isReference(place: Place, item: Schema, { ids }: Filling): boolean {
  const speaksOfIds = /\bids?\b/i.test(`${place.description} ${place.name.replace(/([a-z])([A-Z])|_/g, "$1 $2")}`);
  const speaksOfOrder = overlap(nameWords(place), new Set(wordsOf("depends dependencies prerequisites after requires predecessors"))) > 0;
  return typeOf(item) === "string" && !item.enum && (speaksOfOrder || (speaksOfIds && ids.length > 0));
}

/** An element refers to the one before it where its part of the prompt says that it comes after; never to itself or a later one. */
function refer({ minItems = 0 }: Schema, place: Place, { ids }: Filling): string[] {
  const earlier = ids.slice(0, -1);
  const follows = /\b(?:then|afterwards|after that|finally|lastly|based on|combine|compare)\b/i.test(place.about);
  const count = Math.max(minItems, follows ? 1 : 0);
  return count > 0 ? earlier.slice(-count) : [];
}

/** What the elements are about, one by one: what must be chosen from in each, what the prompt lists, or the task's sentences. */
function partsFor(item: Schema, place: Place, filling: Filling): string[] {
  const { material } = filling;
  const chosen = listInside(item, place, filling) ?? ownList(item, place, filling);
  if (chosen) return chosen;
  const listed = best(material.lists, ({ heading }) => overlap(wordsOf(heading), new Set(nameWords(place))));
  if (listed && overlap(wordsOf(listed.heading), new Set(nameWords(place))) > 0)
    return listed.options.map(({ name, about }) => (name === about ? name : `${name}: ${about}`));
  const inTask = material.lists.filter(({ options }) => options.every(({ name }) => material.task.includes(name)));
  if (inTask[0]) return inTask[0].options.map(({ about }) => about);
  const sentences = sentencesOf(place.about || material.task);
  return sentences.length > 1 ? sentences : clausesOf(place.about || material.task);
}

function clausesOf(text: string): string[] {
  const clauses = text.split(/[,;]\s+(?:and\s+|then\s+)?|\s+(?:and then|then|and)\s+/).filter((clause) => wordsOf(clause).length > 0);
  return clauses.length > 0 ? clauses : [text];
}

/** Each element must name something that is listed: then there is one for each of the listed that the task needs. */
function listInside(item: Schema, place: Place, filling: Filling): string[] | undefined {
  for (const [name, property] of Object.entries(item.properties ?? {})) {
    const { description, enum: options, type } = resolve(property, filling.root);
    const list =
      type === "string"
        ? (listed(options, filling) ?? (options ? undefined : listFor(under(place, name, description), filling)))
        : undefined;
    if (list?.options.some((option) => option.name !== option.about || options)) return oneForEach(list, filling);
  }
}

/** The options of an enum that the prompt explains. */
function listed(options: unknown[] | undefined, { material }: Filling): List | undefined {
  return options && material.lists.find((list) => list.options.filter(({ name }) => options.includes(name)).length > 1);
}

function oneForEach({ options }: List, { material }: Filling): string[] {
  const asked = new Set(material.sentences.length > 0 ? wordsOf(material.task) : []);
  const fitting = options.filter(({ name, about }) => overlap(wordsOf(`${name} ${about}`), asked) > 0);
  return (fitting.length > 0 ? fitting : options).map(({ name }) => `${name}: ${material.task}`);
}

/** An array of names that the prompt lists. */
function ownList(item: Schema, place: Place, filling: Filling): string[] | undefined {
  if (typeOf(item) !== "string" || item.enum) return undefined;
  const list = listFor(place, filling);
  if (!list) return undefined;
  const first = chooseOption(list.options, ({ name }) => name, { ...place, name: fieldWords(place).join(" ") }, filling);
  const names = list.options.map(({ name }) => name);
  const fitting = names.filter((name) => overlap(wordsOf(name), filling.material.taskWords) > 0);
  return fitting.length > 0 ? fitting : first ? names : undefined;
}
