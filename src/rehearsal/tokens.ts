/** Text in pieces of about the size of a model's tokens; joined they are the text again. */
export function tokensOf(text: string): string[] {
  return text.match(/\s*(?:[\p{L}\p{N}]{1,8}|[^\s\p{L}\p{N}])|\s+$/gu) ?? [];
}

export const countTokens = (text: string): number => tokensOf(text).length;
