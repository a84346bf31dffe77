/** Text in pieces of about the size of a model's tokens; joined they are the text again. */
export function tokensOf(text: string): string[] {
  return text.match(/\s*(?:[\p{L}\p{N}]{1,8}|[^\s\p{L}\p{N}])|\s+$/gu) ?? [];
}

const sample = 50_000;

/** How many they are; of a very long text, how many they are likely to be. */
export function countTokens(text: string): number {
  if (text.length <= sample) return tokensOf(text).length;
  return Math.round((tokensOf(text.slice(0, sample)).length * text.length) / sample);
}
