/** Frequent words that say nothing about the subject of a text. */
const stopwords = new Set(
  "and any are but can did does for from get has have how its not please that the them then this was what when where which who why with you".split(
    " ",
  ),
);

/** Returns all words of a text in lower case. `camelCase` and `snake_case` count as two words each. */
export function allWords(text: string): string[] {
  const apart = text.replace(/([a-z\d])([A-Z])/g, "$1 $2").toLowerCase();
  return apart.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Returns the words that show the subject of a text, reduced to their stems. Different forms of a word thus count as the same word. */
export function wordsOf(text: string): string[] {
  const telling = allWords(text).filter((word) => word.length > 2 && !stopwords.has(word));
  const stems = telling.map((word) => word.replace(/(?:ing|ed|s)$/, "").replace(/(.)\1$/, "$1"));
  return stems.map((stem) => stem.slice(0, 6));
}

/** Splits a text into parts that are about as long as a model's tokens. Joined together, the parts give the text again. */
export function tokensOf(text: string): string[] {
  return text.match(/\s*(?:[\p{L}\p{N}]{1,8}|[^\s\p{L}\p{N}])|\s+$/gu) ?? [];
}

/** Returns the arithmetic expression in a text, such as `17 * 3`, or undefined if there is none. */
export function expressionIn(text: string): string | undefined {
  const runs = text.match(/[\d(][\d\s.()+\-*/^%]*/g) ?? [];
  return runs.map((run) => run.replace(/[^\d)]+$/, "")).find((run) => /\d\s*[-+*/^%]\s*[\d(]/.test(run));
}
