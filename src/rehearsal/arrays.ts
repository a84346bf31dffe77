import { isAboutTrouble } from "./choose.ts";
import { resolve, type Schema, typeOf } from "./json-schema.ts";
import { countOf } from "./labelled.ts";
import type { List, Option } from "./lists.ts";
import { type Filling, nameWords, type Place, under } from "./place.ts";
import { listFor } from "./strings.ts";
import { best, overlap, sentencesOf, wordsOf } from "./words.ts";

interface Part {
  about: string;
  focus?: Option;
}

type Fill = (schema: Schema, place: Place, filling: Filling) => unknown;

/** The most elements of a list when the prompt names no number. */
const usualLength = 4;

/** Fills an array with as many elements as the prompt asks for or has parts. Each element is about its own part. */
export function fillArray(schema: Schema, place: Place, filling: Filling, fill: Fill): unknown[] {
  const fixed = schema.prefixItems ?? (Array.isArray(schema.items) ? schema.items : []);
  const tuple = fixed.map((item, index) => fill(item, { ...place, index, depth: place.depth + 1 }, filling));
  if (schema.items === false || (fixed.length > 0 && typeof schema.items !== "object")) return tuple;
  const item = resolve(Array.isArray(schema.items) ? {} : schema.items, filling.root);
  const { minItems = 0 } = schema;
  if (isReference(place, item, filling) && minItems < Math.max(filling.ids.length, 1)) return referencesFor(schema, place, filling);
  const parts = partsFor(item, place, filling);
  const count = lengthFor(schema, place, filling, item.enum ? Math.max(1, countMentioned(item.enum, filling)) : parts.length);
  const free = item.enum && { ...item, enum: [...item.enum] };
  while (tuple.length < count) {
    const index = tuple.length;
    const part = parts[index % parts.length];
    const value = fill(free ?? item, { ...place, ...part, index, depth: place.depth + 1 }, filling);
    tuple.push(schema.uniqueItems && tuple.includes(value) ? distinct(value, index) : value);
    if (free && free.enum.length > 1) free.enum = free.enum.filter((option) => option !== value);
  }
  return tuple;
}

const countMentioned = (options: unknown[], { material }: Filling): number =>
  options.filter((option) => overlap(wordsOf(String(option)), material.taskWords) > 0).length;

const distinct = (value: unknown, index: number) => (typeof value === "number" ? value + index : `${String(value)} ${index + 1}`);

function lengthFor(
  { minItems = 0, maxItems = Number.POSITIVE_INFINITY }: Schema,
  place: Place,
  { material }: Filling,
  parts: number,
): number {
  const requested = countOf(place.name, `${place.description}\n${material.text}`);
  const isEmpty = isAboutTrouble(place) || place.depth > usualLength;
  const length = isEmpty ? 0 : (requested ?? Math.min(Math.max(parts, 1), usualLength));
  return Math.min(Math.max(length, minItems), maxItems, 1_000);
}

/**
 * Tells whether an array refers to other elements by id, such as the ones that must come first. Only ids of this answer make sense there.
 */
function isReference(place: Place, item: Schema, { ids }: Filling): boolean {
  const mentionsIds = /\bids?\b/i.test(`${place.description} ${place.name.replace(/([a-z])([A-Z])|_/g, "$1 $2")}`);
  const mentionsOrder = overlap(nameWords(place), new Set(wordsOf("depends dependencies prerequisites after requires predecessors"))) > 0;
  return typeOf(item) === "string" && !item.enum && (mentionsOrder || (mentionsIds && ids.length > 0));
}

/**
 * Returns the ids of earlier elements, if this part of the prompt says that it comes after them. An element never refers to itself or a
 * later one.
 */
function referencesFor({ minItems = 0 }: Schema, place: Place, { ids }: Filling): string[] {
  const earlier = ids.slice(0, -1);
  const follows = /\b(?:then|afterwards|after that|finally|lastly|based on|combine|compare)\b/i.test(place.about);
  const count = Math.max(minItems, follows ? 1 : 0);
  return count > 0 ? earlier.slice(-count) : [];
}

/** Returns the subject of each element: the options it must choose from, a list in the prompt, or the sentences of the data or the task. */
function partsFor(item: Schema, place: Place, filling: Filling): Part[] {
  const { material } = filling;
  const chosen = listInside(item, place, filling) ?? ownList(item, place, filling);
  if (chosen) return chosen.map((focus) => ({ about: material.task, focus }));
  const closeness = ({ heading }: List) => overlap(wordsOf(heading), new Set(nameWords(place)));
  const closestList = best(material.lists, closeness);
  if (closestList && closeness(closestList) > 0)
    return closestList.options.map(({ name, about }) => ({ about: name === about ? name : `${name}: ${about}` }));
  const inTask = material.lists.find(({ options }) => options.every(({ name }) => material.task.includes(name)));
  if (inTask) return inTask.options.map(({ about }) => ({ about }));
  const { about } = place;
  const sentences = about === material.task && material.data.length > 0 ? material.data : sentencesOf(about);
  return (sentences.length > 1 || material.data.length > 0 ? sentences : clausesOf(about)).map((sentence) => ({ about: sentence }));
}

function clausesOf(text: string): string[] {
  const clauses = text.split(/[,;]\s+(?:and\s+|then\s+)?|\s+(?:and then|then|and)\s+/).filter((clause) => wordsOf(clause).length > 0);
  return clauses.length > 0 ? clauses : [text];
}

/** Returns the allowed options that the task names, if each element of the array must be one of the options. Otherwise undefined. */
function listInside(item: Schema, place: Place, filling: Filling): Option[] | undefined {
  for (const [name, property] of Object.entries(item.properties ?? {})) {
    const { description, enum: options, type } = resolve(property, filling.root);
    const list =
      type === "string"
        ? (listOfOptions(options, filling) ?? (options ? undefined : listFor(under(place, name, description), filling)))
        : undefined;
    if (list) return oneForEach(list, filling);
  }
}

/** Returns the list in which the prompt explains the options of an enum. */
function listOfOptions(options: unknown[] | undefined, { material }: Filling): List | undefined {
  return options && material.lists.find((list) => list.options.filter(({ name }) => options.includes(name)).length > 1);
}

function oneForEach({ options }: List, { material }: Filling): Option[] {
  const named = options.filter(({ name }) => overlap(wordsOf(name), material.taskWords) > 0);
  const described = options.filter(({ about }) => overlap(wordsOf(about), material.taskWords) > 0);
  return [named, described].find((found) => found.length > 0) ?? options;
}

/** Returns the allowed options for an array of names. */
function ownList(item: Schema, place: Place, filling: Filling): Option[] | undefined {
  const list = typeOf(item) === "string" && !item.enum ? listFor(place, filling) : undefined;
  return list && oneForEach(list, filling);
}
