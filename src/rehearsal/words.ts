/** Words that say nothing about what a text is about. */
const stopwords = new Set(
  `a an the this that these those it its itself they them their there here he she his her him we us our you your yours i me my mine and or but
  if then else so because as at by for from in into of on onto off out over under to up with without within about after before between during
  is are was were be been being am do does did done doing have has had having can could may might must shall should will would not no nor
  what which who whom whose when where why how all any both each every few more most other some such only own same than too very just also
  please use using used give given make want need let tell know say get go s t re ve ll d m one s`.split(/\s+/),
);

/** Cut off so that the forms of a word meet: it need not be a word that is left. */
export function stem(word: string): string {
  if (word.length < 4 || /\d/.test(word)) return word;
  const singular = word
    .replace(/ies$/, "y")
    .replace(/(ss|sh|ch|x)es$/, "$1")
    .replace(/([^s])s$/, "$1");
  const bare = singular.replace(/(?:ation|ator|ating|ated|ate)$/, "at").replace(/(?:ing|ed|er|or|ly|ion)$/, "");
  return (bare.length < 3 ? singular : bare).replace(/(.)\1$/, "$1").replace(/e$/, "");
}

/** All words, lower case; `camelCase` and `snake_case` are two. */
export function allWords(text: string): string[] {
  const apart = text.replace(/([a-z\d])([A-Z])/g, "$1 $2").toLowerCase();
  return apart.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** The words that carry meaning, by their stems. */
export function wordsOf(text: string): string[] {
  return allWords(text)
    .filter((word) => word.length > 1 && !stopwords.has(word))
    .map(stem);
}

/** How many of the words occur in the other text; each counts once. */
export function overlap(words: Iterable<string>, others: ReadonlySet<string>): number {
  return [...new Set(words)].filter((word) => others.has(word)).length;
}

/** The first words of a text that carry meaning, as they are written there. */
export function phraseOf(text: string, most: number): string {
  const words = text.match(/[\p{L}\p{N}][\p{L}\p{N}'-]*/gu) ?? [];
  const telling = words.filter((word) => !stopwords.has(word.toLowerCase()) && (word.length > 1 || /\d/.test(word)));
  return (telling.length > 0 ? telling : words).slice(0, most).join(" ");
}

export function sentencesOf(text: string): string[] {
  return text
    .split(/(?<=[.!?])\s+|\n+/)
    .map((sentence) => sentence.replace(/^\s*(?:[-*•#]+|\d+[.)])\s+/, "").trim())
    .filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
}

/** The element with the highest score; of equals, the first. */
export function best<Element>(elements: readonly Element[], score: (element: Element) => number): Element | undefined {
  let found: Element | undefined;
  let highest = Number.NEGATIVE_INFINITY;
  for (const element of elements) {
    const value = score(element);
    if (value > highest) [found, highest] = [element, value];
  }
  return found;
}

/** A number between 0 and 1 that depends on the text only. */
export function fractionOf(text: string): number {
  let hash = 2_166_136_261;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 16_777_619) >>> 0;
  return hash / 2 ** 32;
}
