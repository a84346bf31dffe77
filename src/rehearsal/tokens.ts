/** Splits text into pieces of about the size of a model's tokens. Joined, they are the text again. */
export function tokensOf(text: string): string[] {
  return text.match(/\s*(?:[\p{L}\p{N}]{1,8}|[^\s\p{L}\p{N}])|\s+$/gu) ?? [];
}

const sample = 50_000;

/** Returns the number of tokens. For a very long text it extrapolates from a sample. */
export function countTokens(text: string): number {
  if (text.length <= sample) return tokensOf(text).length;
  return Math.round((tokensOf(text.slice(0, sample)).length * text.length) / sample);
}
