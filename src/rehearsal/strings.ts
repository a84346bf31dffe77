import { chooseOption } from "./choose.ts";
import { expressionsIn, namesIn, quotedIn, urlsIn } from "./extract.ts";
import { fillFormat } from "./formats.ts";
import type { Schema } from "./json-schema.ts";
import { countOf, readLabelled } from "./labelled.ts";
import type { List } from "./lists.ts";
import { nameKey } from "./material.ts";
import { compile, fillPattern } from "./pattern.ts";
import { type Filling, fieldWords, nameWords, type Place } from "./place.ts";
import { allWords, best, overlap, phraseOf, wordsOf } from "./words.ts";

/** Words in the name or description of fields that hold sentences rather than names. */
const proseFields = new Set(
  wordsOf(`summary description text content reason reasoning explanation explain answer message body finding recommendation critique feedback draft
    thought task instruction detail evidence advice fix rationale comment note report analysis sentence paragraph argument statement response
    conclusion observation insight outcome goal objective question query prompt input request search fact value`),
);

/** Returns a text for a field, within its length limits. */
export function fillString(schema: Schema, place: Place, filling: Filling): string {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
  const fits = (text: string) => text.length >= minLength && text.length <= maxLength;
  const exact = writeExactly(schema, place, filling, fits);
  const text = exact ?? write(schema, place, filling);
  filling.used.add(text);
  return exact !== undefined ? text : toLength(text, minLength, maxLength);
}

/** Returns a text that fits the format, else the pattern. A format often comes with a pattern of the same meaning. */
function writeExactly({ format, pattern }: Schema, place: Place, filling: Filling, fits: (text: string) => boolean): string | undefined {
  const formatted = format ? fillFormat(format, place, filling) : undefined;
  if (formatted !== undefined && (compile(pattern ?? "")?.test(formatted) ?? true)) return formatted;
  return pattern ? fillPattern(pattern, place, filling, fits) : undefined;
}

function write(schema: Schema, place: Place, filling: Filling): string {
  const isProse = overlap([...nameWords(place), ...lastWords(place)], proseFields) > 0 || (schema.maxLength ?? 0) > 200;
  return (
    pickNamed(place, filling, isProse) ??
    identify(place, filling) ??
    findKind(place, filling, isProse) ??
    (isProse ? writeProse(place, filling) : writeName(place, filling))
  );
}

/** Returns an option for a field that must name one: from its description, or from a list in the prompt. */
function pickNamed(place: Place, filling: Filling, isProse: boolean): string | undefined {
  const offered = /\b(?:one of|either)\b/i.test(place.description) ? optionsIn(place.description) : [];
  if (offered.length > 1) return chooseOption(offered, (option) => option, place, filling);
  const list = isProse ? undefined : listFor(place, filling);
  return list && chooseOption(list.options, ({ name, about }) => `${name} ${about}`, place, filling)?.name;
}

function optionsIn(description: string): string[] {
  const quoted = quotedIn(description);
  if (quoted.length > 1) return quoted;
  const listed = /\b(?:one of|either):?\s+([^.;]+)/i.exec(description)?.[1] ?? "";
  const options = listed.split(/\s*,\s*(?:or\s+|and\s+)?|\s+or\s+/).filter((option) => /^[\w-]+$/.test(option));
  return options.length > 1 ? options : [];
}

/**
 * Returns the list that the field chooses from. Its heading shares a word with the field's name, or with a description that mentions a
 * choice.
 */
export function listFor(place: Place, { material }: Filling): List | undefined {
  const isChoice = /\b(?:name|names|id|one of|which|who|listed|given|roster|available|chosen|assigned)\b/i.test(place.description);
  const words = isChoice ? fieldWords(place) : nameWords(place);
  const score = ({ heading }: List) => overlap(wordsOf(heading), new Set(words));
  const found = best(
    material.lists.filter(({ options }) => options.length > 1),
    score,
  );
  return found && score(found) > 0 ? found : undefined;
}

/** Returns an id. An element's own id is numbered, so that ids are unique. A reference uses an id from the prompt. */
function identify(place: Place, filling: Filling): string | undefined {
  const { material, ids, isCall } = filling;
  const words = allWords(place.name);
  if (!["id", "uuid", "identifier", "slug"].includes(words.at(-1) ?? "")) return undefined;
  if (isCall || words.length > 1) {
    const known = [...(material.values.get(nameKey(place.name)) ?? material.values.get("id") ?? []).map(String), ...ids];
    const coded = isCall ? place.about.match(/[\p{L}\p{N}_-]*\d[\p{L}\p{N}_-]*/gu) : null;
    const found = coded?.[0] ?? chooseOption(known, (id) => id, place, filling);
    if (found !== undefined || isCall) return found;
  }
  const owner = words.slice(0, -1).join("-") || (allWords(place.path.split(".").at(-2) ?? "").at(-1) ?? "item").replace(/s$/, "");
  let number = place.index + 1;
  while (ids.includes(`${owner}-${number}`)) number++;
  ids.push(`${owner}-${number}`);
  return `${owner}-${number}`;
}

/** Returns a value of the kind that the field names: an expression, an address, or a labelled value of the prompt. */
function findKind(place: Place, filling: Filling, isProse: boolean): string | undefined {
  const { material, used } = filling;
  const field = `${place.name} ${place.description}`;
  const unused = (found: string[]) => found.find((text) => !used.has(text)) ?? found[0];
  const both = (read: (text: string) => string[]) => unused([...read(place.about), ...read(material.task), ...read(material.text)]);
  if (/expression|formula|arithmetic|calculation|equation/i.test(field)) return both(expressionsIn) ?? quotedIn(place.about)[0];
  if (/\b(?:url|uri|link|address)\b/i.test(field)) return both(urlsIn);
  const labelled = isProse && place.focus ? undefined : readLabelled(place, material);
  if (labelled !== undefined && !used.has(String(labelled))) return String(labelled);
  return filling.isCall ? unused(quotedIn(place.about)) : undefined;
}

/** Returns the sentences closest to the field's name, with its focus. A repeated sentence gets the field's name as a label. */
function writeProse(place: Place, filling: Filling): string {
  const { used, isCall } = filling;
  if (isCall) return place.about;
  const sentences = closestSentences(countOf("sentences", place.description) ?? 1, place, filling);
  const isNew = sentences.some((sentence) => !used.has(sentence));
  for (const sentence of sentences) used.add(sentence);
  const text = sentences.map(asSentence).join(" ");
  if (place.focus) return `${text} Concerning ${place.focus.name}: ${asSentence(place.focus.about)}`;
  return isNew ? text : `${labelOf(place)}: ${text}`;
}

/** Returns the closest sentences from the field's part of the prompt, or from the task's data. It prefers unused sentences. */
function closestSentences(count: number, place: Place, { material, used }: Filling): string[] {
  const words = fieldWords(place);
  const near = new Set(wordsOf(place.about));
  const score = (sentence: string) => {
    const own = new Set(wordsOf(sentence));
    const bonus = (material.data.includes(sentence) ? 2 : 0) + (place.about === sentence ? 4 : 0) - (used.has(sentence) ? 6 : 0);
    return 2 * overlap(words, own) + overlap(near, own) + bonus;
  };
  const isGeneral = place.about === material.task && !place.focus && material.data.length > 0;
  const known = isGeneral ? material.data.slice(0, 200) : [place.about, ...material.sentences.slice(0, 200)];
  const ranked = [...new Set(known)].map((sentence) => ({ sentence, points: score(sentence) })).sort((a, b) => b.points - a.points);
  return ranked.filter(({ points }, rank) => rank === 0 || (rank < count && points > 0)).map(({ sentence }) => sentence);
}

const asSentence = (text: string): string => (/[.!?]["')]?$/.test(text) ? text : `${text}.`);

function labelOf({ name }: Place): string {
  const label = allWords(name).join(" ");
  return `${label.charAt(0).toUpperCase()}${label.slice(1)}`;
}

/** Returns a few words: a quotation, a name, or words of the field's part of the prompt. */
function writeName(place: Place, { material, used }: Filling): string {
  const names = [
    ...quotedIn(place.about),
    ...wholeName(place.about),
    ...namesIn(place.about),
    ...quotedIn(material.task),
    ...namesIn(material.task),
  ];
  const free = names.find((name) => !used.has(name) && name.length <= 80);
  if (free) return free;
  const phrase = phraseOf(place.about, 5) || phraseOf(material.task, 5) || place.name || "answer";
  return used.has(phrase) ? `${phrase} ${place.index + 1}` : phrase;
}

/** Returns the text if it is nothing but a name. */
const wholeName = (text: string): string[] => /^\p{Lu}[\p{L}\p{N}'-]*(?:\s\p{Lu}[\p{L}\p{N}'-]*)*(?=[.?!]?$)/u.exec(text.trim()) ?? [];

const lastWords = ({ description }: Place): string[] => (/\bsentences?\b|\bparagraphs?\b|\btext\b/i.test(description) ? ["text"] : []);

function toLength(text: string, least: number, most: number): string {
  const long = text.length < least ? text.padEnd(least, ` ${text || "."}`) : text;
  if (long.length <= most) return long;
  const cut = long.slice(0, most);
  const whole = cut.replace(/\s+\S*$/, "");
  return whole.length >= Math.max(least, 1) ? whole : cut;
}
