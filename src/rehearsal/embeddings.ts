import { z } from "zod";
import { allWords, fractionOf, wordsOf } from "./words.ts";

const Tokens = z.array(z.number().int());
const Text = z.string().min(1);

/** The body of a request to `/embeddings`: texts, or their tokens. */
export const EmbeddingsRequest = z.object({
  model: z.string(),
  input: z.union([Text.transform((text) => [text]), z.array(Text).min(1).max(2_048), z.array(Tokens).min(1), Tokens.min(1)]),
  dimensions: z.number().int().min(1).max(4_096).nullish(),
  encoding_format: z.enum(["float", "base64"]).nullish(),
});
export type EmbeddingsRequest = z.infer<typeof EmbeddingsRequest>;

/** The number of words that count. The beginning of a long text tells its subject. */
const maxWords = 500;

/**
 * Returns vectors that reflect the words of each text. Texts that share words are close to each other, and the same text always has the
 * same vector.
 */
export function embed({ model, input, dimensions, encoding_format }: EmbeddingsRequest): object {
  const texts = input.some((part) => typeof part === "number") ? [input.join(" ")] : input.map(String);
  const size = dimensions ?? (model.endsWith("-large") ? 3_072 : 1_536);
  const vectors = texts.map((text) => vectorOf(text, size));
  const tokens = texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0);
  return {
    object: "list",
    model,
    data: vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: encoding_format === "base64" ? Buffer.from(vector.buffer).toString("base64") : [...vector],
    })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

/** Returns the sum of one direction per word, with length one. Directions of different words are nearly orthogonal. */
function vectorOf(text: string, size: number): Float32Array<ArrayBuffer> {
  const words = [wordsOf(text), allWords(text), [text]].find(({ length }) => length > 0) ?? [];
  const vector = new Float32Array(size);
  for (const word of new Set(words.slice(0, maxWords))) addDirection(vector, word);
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}

/** Adds the word's own row of ones and minus ones. A random number generator with the word as its seed makes the row. */
function addDirection(vector: Float32Array, word: string): void {
  let state = Math.floor(fractionOf(word) * 2 ** 32) | 1;
  for (let index = 0; index < vector.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    vector[index] = (vector[index] ?? 0) + (state < 0 ? -1 : 1);
  }
}
