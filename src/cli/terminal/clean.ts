/** Matches complete escape sequences for colours, titles and links, so that no part of them stays visible. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: this regex matches control characters
const sequences = /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)/g;
/** Matches control characters except tab and newline, and characters that change the direction of the text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: this regex matches control characters
const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Returns text that is safe for a terminal. Text from a model or a stranger must not move the cursor, change the title or hide a line. If a
 * sequence arrives in two pieces, at least its control characters are removed.
 */
export function clean(text: string): string {
  return text.replace(sequences, "").replace(controls, "");
}

/** Returns safe text, on one line. */
export function oneLine(text: string): string {
  return clean(text).replace(/\s+/g, " ").trim();
}

/** Returns the beginning of a text, on one line and safe for a terminal. */
export function excerpt(text: string, length: number): string {
  const line = oneLine(text);
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}

/** Returns JSON on one line that is safe for a terminal. Control characters are written as escapes, so it is still the same document. */
export function safeJson(value: unknown): string {
  const toEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return (JSON.stringify(value) ?? "null").replace(controls, toEscape);
}
