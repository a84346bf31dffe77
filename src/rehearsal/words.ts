/** Words without meaning for the subject of a text. */
const stopwords = new Set(
  `a an the this that these those it its itself they them their there here he she his her him we us our you your yours i me my mine and or but
  if then else so because as at by for from in into of on onto off out over under to up with without within about after before between during
  is are was were be been being am do does did done doing have has had having can could may might must shall should will would not no nor
  what which who whom whose when where why how all any both each every few more most other some such only own same than too very just also
  please use using used give given make want need let tell know say get go s t re ve ll d m one s`.split(/\s+/),
);

/** Returns a stem that the forms of a word share. It need not be a word. */
export function stem(word: string): string {
  if (word.length < 4 || /\d/.test(word)) return word;
  const singular = word
    .replace(/ies$/, "y")
    .replace(/(ss|sh|ch|x)es$/, "$1")
    .replace(/([^s])s$/, "$1");
  const bare = singular.replace(/(?:ation|ator|ating|ated|ate)$/, "at").replace(/(?:ing|ed|er|or|ly|ion)$/, "");
  return (bare.length < 3 ? singular : bare).replace(/(.)\1$/, "$1").replace(/e$/, "");
}

/** Returns all words in lower case. `camelCase` and `snake_case` are two words each. */
export function allWords(text: string): string[] {
  const apart = text.replace(/([a-z\d])([A-Z])/g, "$1 $2").toLowerCase();
  return apart.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Returns the stems of the meaningful words. */
export function wordsOf(text: string): string[] {
  return allWords(text)
    .filter((word) => word.length > 1 && !stopwords.has(word))
    .map(stem);
}

/** Returns how many of the words occur in the other text. Each counts once. */
export function overlap(words: Iterable<string>, others: ReadonlySet<string>): number {
  return [...new Set(words)].filter((word) => others.has(word)).length;
}

/** Returns the first meaningful words of a text, as written there. */
export function phraseOf(text: string, most: number): string {
  const words = text.match(/[\p{L}\p{N}][\p{L}\p{N}'-]*/gu) ?? [];
  const meaningful = words.filter((word) => !stopwords.has(word.toLowerCase()) && (word.length > 1 || /\d/.test(word)));
  return (meaningful.length > 0 ? meaningful : words).slice(0, most).join(" ");
}

export function sentencesOf(text: string): string[] {
  return text
    .split(/(?<=[.!?])\s+|\n+/)
    .map((sentence) => sentence.replace(/^\s*(?:[-*•#]+|\d+[.)])\s+/, "").trim())
    .filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
}

/** Returns the element with the highest score, the first among equals. */
export function best<Element>(elements: readonly Element[], score: (element: Element) => number): Element | undefined {
  let found: Element | undefined;
  let highest = Number.NEGATIVE_INFINITY;
  for (const element of elements) {
    const value = score(element);
    if (value > highest) [found, highest] = [element, value];
  }
  return found;
}

/** Returns a number between 0 and 1 that depends only on the text. */
export function fractionOf(text: string): number {
  let hash = 2_166_136_261;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 16_777_619) >>> 0;
  return hash / 2 ** 32;
}
