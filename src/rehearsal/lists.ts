import { jsonIn } from "./extract.ts";
import { allWords } from "./words.ts";

/** One option of a list in a text. */
export interface Option {
  name: string;
  /** The description of the option. */
  about: string;
}

export interface List {
  /** The line that introduces the list. */
  heading: string;
  options: Option[];
}

/** Returns the lists in a text: bullets, JSON, or a line after a colon. */
export function listsIn(text: string): List[] {
  return [...bulletLists(text), ...jsonIn(text).flatMap(({ value, before }) => jsonLists(value, before)), ...inlineLists(text)];
}

function bulletLists(text: string): List[] {
  const lists: List[] = [];
  let open: List | undefined;
  let heading = "";
  for (const line of text.split("\n")) {
    const bullet = /^\s*(?:[-*•]|\d+[.)])\s+(\S.*)$/.exec(line)?.[1];
    if (bullet === undefined) {
      open = undefined;
      if (line.trim()) heading = line.trim();
      continue;
    }
    if (!open) {
      open = { heading, options: [] };
      lists.push(open);
    }
    open.options.push(optionOf(bullet));
  }
  return lists.filter(({ options }) => options.length > 0);
}

/** Reads an option of the form `name: description`, with any quotes or emphasis around the name. */
function optionOf(line: string): Option {
  const [, name, about] = /^[*"'`]*([^:"'`*–—(]{1,60}?)[*"'`]*\s*(?::|–|—|\s-\s|\()\**\s*(.+)$/.exec(line) ?? [];
  return name && about
    ? { name: name.trim(), about: about.replace(/\)$/, "") }
    : { name: line.replace(/^[*"'`]+|[*"'`]+$/g, ""), about: line };
}

const naming = ["name", "id", "key", "title", "label"];

function jsonLists(value: unknown, heading: string): List[] {
  if (typeof value !== "object" || value === null) return [];
  if (!Array.isArray(value)) return Object.entries(value).flatMap(([key, inner]) => jsonLists(inner, key));
  const options = value.flatMap((element): Option[] => {
    if (typeof element === "string" && element.length <= 200) return [{ name: element, about: element }];
    const key = naming.find((candidate) => typeof Object(element)[candidate] === "string");
    return key ? [{ name: String(Object(element)[key]), about: textBeside(Object(element), key) }] : [];
  });
  const inner = value.flatMap((element) => (typeof element === "object" ? jsonLists(element, heading) : []));
  return options.length > 0 ? [{ heading, options }, ...inner] : inner;
}

function textBeside(element: Record<string, unknown>, naming: string): string {
  const others = Object.entries(element).filter(([key, value]) => key !== naming && typeof value === "string");
  return others.map(([, value]) => value).join(" ") || String(element[naming]);
}

/** Finds lists such as "Colours: red, green and blue" and "one of a, b or c". */
function inlineLists(text: string): List[] {
  return text
    .split(/\n|(?<=[.!?])\s/)
    .filter((line) => line.length < 1_000 && line.includes(",") && !/[{}[\]]/.test(line))
    .flatMap((line) => {
      const at = /:\s|\b(?:one of|among|from|are)\s/.exec(line);
      if (!at) return [];
      const names = line
        .slice(at.index + at[0].length)
        .split(/,\s*(?:(?:and|or)\s+)?|\s+(?:and|or)\s+/)
        .map((name) => name.replace(/^["'`\s]+|["'`.\s?!]+$/g, ""));
      const heading = line.slice(0, at.index);
      // "name: Ada, age 36" is not a list. A plural, an "and" or single words show that a list is meant.
      const isMeant = /s$/.test(heading) || /\s(?:and|or)\s/.test(line) || (names.length > 2 && names.every((name) => !/\s/.test(name)));
      const isList = isMeant && names.length > 1 && names.every((name) => name !== "" && allWords(name).length <= 4);
      return isList ? [{ heading, options: names.map((name) => ({ name, about: name })) }] : [];
    });
}
