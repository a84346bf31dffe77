/** Whole escape sequences, of the terminal's colours, titles and links, so that no remains of them are read. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const sequences = /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)/g;
/** Control characters but tab and newline, and those that turn the direction of the text around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text as a terminal may have it. What a model or a stranger wrote must not move the cursor, change the title or hide a line. A sequence
 * that arrives in two pieces loses its control characters all the same.
 */
export function clean(text: string): string {
  return text.replace(sequences, "").replace(controls, "");
}

/** The same on one line. */
export function oneLine(text: string): string {
  return clean(text).replace(/\s+/g, " ").trim();
}

/** The beginning of a text, on one line. */
export function excerpt(text: string, length: number): string {
  const line = oneLine(text);
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}

/** JSON on one line that a terminal can show: the same document, with those characters written as escapes. */
export function safeJson(value: unknown): string {
  const toEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return (JSON.stringify(value) ?? "null").replace(controls, toEscape);
}
