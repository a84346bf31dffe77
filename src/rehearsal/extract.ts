/** Finds quotations, numbers, names, links and JSON in a text. Each function reads the text only once, because prompts can be long. */

export function quotedIn(text: string): string[] {
  return [
    ...text.matchAll(/"([^"\n]{1,300})"|“([^”\n]{1,300})”|`([^`\n]{1,300})`|(?<![\p{L}\p{N}])'([^'\n]{1,300})'(?![\p{L}\p{N}])/gu),
  ].map((match) => match.slice(1).find((group) => group !== undefined) ?? "");
}

export function numbersIn(text: string): number[] {
  return [...text.matchAll(/(?<![\p{L}\p{N}.])-?\d+(?:,\d{3})*(?:\.\d+)?/gu)].map(([digits]) => Number(digits.replaceAll(",", "")));
}

const spoken: [RegExp, string][] = [
  [/(\d)%\s+of\s+(?=[\d(])/g, "$1 / 100 * "],
  [/([\d)])\s+(?:times|multiplied by|x)\s+(?=[\d(])/g, "$1 * "],
  [/([\d)])\s+plus\s+(?=[\d(])/g, "$1 + "],
  [/([\d)])\s+minus\s+(?=[\d(])/g, "$1 - "],
  [/([\d)])\s+(?:divided by|over)\s+(?=[\d(])/g, "$1 / "],
  [/([\d)])\s+to the power of\s+(?=[\d(])/g, "$1 ^ "],
  [/×/g, "*"],
  [/÷/g, "/"],
  [/(?<=\d),(?=\d{3}(?!\d))/g, ""],
];

/** Returns the arithmetic expressions of a text, including ones in words ("7 times 6"). */
export function expressionsIn(text: string): string[] {
  const written = spoken.reduce((all, [words, sign]) => all.replace(words, sign), text);
  const runs = written.match(/(?:\b(?:sqrt|abs|min|max|round|floor|ceil|pow|log|exp|sin|cos|tan)(?=\()|[\d.,\s()+\-*/^%])+/g) ?? [];
  return runs
    .flatMap((run) => (/[a-z]/.test(run) ? [run] : run.split(/,|\n|\.\s/)))
    .map((run) => balanced(trim(run)))
    .filter(isArithmetic);
}

/** Trims brackets and operators from both ends. A regular expression with only an end anchor would try every position. */
function trim(run: string): string {
  let [start, end] = [0, run.length];
  while (start < end && " \n\t\r,.)*/^%+".includes(run[start] ?? "")) start++;
  while (end > start && " \n\t\r,.(*/^%+-".includes(run[end - 1] ?? "")) end--;
  return run.slice(start, end);
}

/** Removes a bracket that belongs to the sentence around the expression. */
function balanced(run: string): string {
  const opening = run.split("(").length;
  const closing = run.split(")").length;
  if (opening > closing) return run.replace("(", "").trim();
  return closing > opening ? run.replace(/\)\s*$/, "").trim() : run;
}

function isArithmetic(run: string): boolean {
  const isDateOrRange = /^\d+(?:-\d+)+$/.test(run) || /^\d{1,4}\/\d{1,2}\/\d{1,4}$/.test(run);
  return !isDateOrRange && (/\d\s*\)*\s*[-+*/^%]\s*[-(]*(?:\d|[a-z]+\()/.test(run) || /^[a-z]+\(.+\)$/.test(run));
}

export const urlsIn = (text: string): string[] =>
  (text.match(/https?:\/\/[^\s"'<>)\]}]+/g) ?? []).map((url) => url.replace(/[.,;:!?]+$/, ""));
export const emailsIn = (text: string): string[] => text.match(/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/g) ?? [];
export const datesIn = (text: string): string[] => text.match(/\b\d{4}-\d{2}-\d{2}\b/g) ?? [];
export const momentsIn = (text: string): string[] =>
  text.match(/\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})\b/g) ?? [];

/** Returns the names in a text: capitalised words that do not merely begin a sentence. Consecutive capitalised words form one name. */
export function namesIn(text: string): string[] {
  const found = text.matchAll(/(?<=[\p{L}\p{N},;:)'"’]\s)\p{Lu}[\p{L}\p{N}'-]*(?:\s\p{Lu}[\p{L}\p{N}'-]*)*/gu);
  return [...found].map(([name]) => name).filter((name) => name !== "I");
}

/** Returns the JSON documents in a text, each with the words before it. */
export function jsonIn(text: string): { value: unknown; before: string }[] {
  const found: { value: unknown; before: string }[] = [];
  let from = 0;
  // An unclosed bracket costs a search to the end of the text, so only ten are tried.
  for (let unclosed = 0; unclosed < 10; ) {
    const start = text.slice(from).search(/[{[]/) + from;
    if (start < from) break;
    const end = endOfJson(text, start);
    if (end === start) unclosed++;
    const value = parse(text.slice(start, end));
    if (value !== undefined) found.push({ value, before: text.slice(Math.max(0, start - 80), start) });
    from = value === undefined ? start + 1 : end;
  }
  return found;
}

/** Returns the index after the bracket that closes the one at `start`. Brackets in strings do not count. */
function endOfJson(text: string, start: number): number {
  let depth = 0;
  let inString = false;
  for (let index = start; index < text.length; index++) {
    const character = text[index];
    if (inString && character === "\\") index++;
    else if (character === '"') inString = !inString;
    else if (!inString && (character === "{" || character === "[")) depth++;
    else if (!inString && (character === "}" || character === "]") && --depth === 0) return index + 1;
  }
  return start;
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? value : undefined;
  } catch {
    return undefined;
  }
}
