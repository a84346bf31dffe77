import { jsonIn } from "./extract.ts";
import { type List, listsIn } from "./lists.ts";
import { allWords, sentencesOf, stem, wordsOf } from "./words.ts";

type Scalar = string | number | boolean;

/** The prompt, parsed once. Answers are made from it. */
export interface Material {
  /** The whole conversation, including the system prompt. */
  text: string;
  /** The request itself, without the data that comes with it. */
  task: string;
  taskWords: ReadonlySet<string>;
  /** The user's sentences, the task first. */
  sentences: string[];
  /** The sentences that came with the task: the text or the results that it is about. */
  data: string[];
  words: ReadonlySet<string>;
  lists: List[];
  /** The values of JSON in the prompt, by key. */
  values: Map<string, Scalar[]>;
}

/** The maxLength text that is read. No model reads everything either, and reading must not block the process that we share. */
const maxLength = 30_000;

const taskLabel = /^[ \t]*(?:task|question|request|goal|query|problem)[ \t]*:[ \t]*(.+(?:\n[ \t]*\S.*)*)/im;

export function readMaterial(system: string, user: string): Material {
  const userText = clip(user);
  const text = `${clip(system)}\n${userText}`;
  const blobs = jsonIn(userText);
  const values = new Map<string, Scalar[]>();
  for (const { value } of jsonIn(text)) collect(value, "", values);
  const labelled = withoutLists(blobs.reduce((all, { value }) => all.replace(blobText(userText, value), " "), userText));
  const prose = labelled.replace(taskLabel, "$1");
  const fromJson = ["task", "question", "request", "goal", "query"].map((key) => values.get(key)?.[0]).find(Boolean);
  const task = taskLabel.exec(labelled)?.[1]?.trim() || (fromJson === undefined ? prose.trim() || userText.trim() : String(fromJson));
  const strings = [...values.values()].flat().filter((value): value is string => typeof value === "string");
  const sentences = [
    ...new Set([
      ...sentencesOf(task),
      ...sentencesOf(prose),
      ...strings.flatMap(sentencesOf),
      ...sentencesOf(withoutJson(userText.replace(taskLabel, "$1"))),
    ]),
  ];
  const isData = (sentence: string) => !task.includes(sentence) && !sentence.includes(task) && allWords(sentence).length > 3;
  return {
    text,
    task,
    taskWords: new Set(wordsOf(task)),
    sentences: sentences.length > 0 ? sentences : ["Nothing was asked."],
    data: sentences.filter(isData),
    words: new Set(wordsOf(text)),
    lists: listsIn(text),
    values,
  };
}

function clip(text: string): string {
  const short = text.length > maxLength ? `${text.slice(0, maxLength * 0.7)}\n${text.slice(-maxLength * 0.3)}` : text;
  return short.replace(/[^\S\n]{100,}/g, " ").replace(/\n{20,}/g, "\n\n"); // long runs of whitespace make reading slow
}

/** Returns the JSON exactly as the text contains it, compact or indented. */
function blobText(text: string, value: unknown): string {
  return [JSON.stringify(value), JSON.stringify(value, null, 2)].find((form) => text.includes(form)) ?? "\u0000";
}

const withoutLists = (text: string): string => text.replace(/^\s*(?:[-*•]|\d+[.)])\s+.*$/gm, "");

/** Returns the text without everything from the first bracket to the last. */
function withoutJson(text: string): string {
  const first = text.search(/[{[]/);
  const last = Math.max(text.lastIndexOf("}"), text.lastIndexOf("]"));
  return first >= 0 && last > first ? `${text.slice(0, first)} ${text.slice(last + 1)}` : text;
}

function collect(value: unknown, key: string, into: Map<string, Scalar[]>): void {
  if (Array.isArray(value)) for (const element of value) collect(element, key, into);
  else if (typeof value === "object" && value !== null)
    for (const [name, part] of Object.entries(value)) collect(part, nameKey(name), into);
  else if (value !== null && value !== undefined) {
    const known = into.get(key) ?? [];
    known.push(value as Scalar);
    into.set(key, known);
  }
}

/** Returns the key of a name in any spelling: `dueDate`, `due_date`. */
export const nameKey = (name: string): string => allWords(name).map(stem).join(" ");

/** Tells whether the prompt lists remaining work. */
export function workIsLeft({ text }: Material): boolean {
  const remaining = [
    ...text.matchAll(
      /\b(?:remain\w*|left|pending|to ?do|open|outstanding|next)\b[^:\n]{0,40}"?\s*:\s*([^\n]{0,40}(?:\n\s*[-*\d][^\n]{0,20})?)/gi,
    ),
  ].at(-1)?.[1];
  return remaining !== undefined && !/^\s*(?:none|nothing|no\b|-?\s*$|\[\s*\]|0\b|""|null)/i.test(remaining);
}
