/** A passage that may help with a task. */
export interface Passage {
  source: string;
  text: string;
  score: number;
}

/** Returns the share of the query's words that occur in a text. Used as the score of a passage if the store gives none. */
export function shareOf(query: string, text: string): number {
  const words = new Set(query.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
  const known = text.toLowerCase();
  return words.size === 0 ? 0 : [...words].filter((word) => known.includes(word)).length / words.size;
}
