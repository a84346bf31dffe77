/** Matches whole escape sequences that set colours, titles or links, so that `clean` removes them completely. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: this regex matches control characters
const sequences = /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)/g;
/** Matches control characters other than tab and newline, and characters that change the direction of the text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: this regex matches control characters
const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Returns a text without characters that control a terminal. Otherwise, text from a model or a stranger could move the cursor, change the
 * title or hide a line. If an escape sequence arrives in two chunks, `clean` removes only its control characters.
 */
export function clean(text: string): string {
  return text.replace(sequences, "").replace(controls, "");
}

/** Returns a text on one line, without characters that control a terminal. */
export function oneLine(text: string): string {
  return clean(text).replace(/\s+/g, " ").trim();
}

/** Returns the beginning of a text on one line, without characters that control a terminal. */
export function excerpt(text: string, length: number): string {
  const line = oneLine(text);
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}

/**
 * Returns a value as JSON on one line. Control characters are written as JSON escapes, so the terminal ignores them and programs still
 * read them.
 */
export function safeJson(value: unknown): string {
  const toEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return (JSON.stringify(value) ?? "null").replace(controls, toEscape);
}
