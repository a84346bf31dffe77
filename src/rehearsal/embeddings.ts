import { createHash } from "node:crypto";
import { z } from "zod";
import { allWords, wordsOf } from "./words.ts";

const Tokens = z.array(z.number().int());
const Text = z.string().min(1);

/** The body of a request to `/embeddings`. `input` is one text or several, or their tokens. */
export const EmbeddingsRequest = z.object({
  model: z.string(),
  input: z.union([Text.transform((text) => [text]), z.array(Text).min(1).max(2_048), z.array(Tokens).min(1), Tokens.min(1)]),
  dimensions: z.number().int().min(1).max(4_096).nullish(),
  encoding_format: z.enum(["float", "base64"]).nullish(),
});

/** Returns one vector for each text. Texts that share words get similar vectors, and the same text always gets the same vector. */
export function embed({ model, input, dimensions, encoding_format }: z.output<typeof EmbeddingsRequest>): object {
  const texts = input.some((part) => typeof part === "number") ? [input.join(" ")] : input.map(String);
  const size = dimensions ?? (model.endsWith("-large") ? 3_072 : 1_536);
  const data = texts.map((text, index) => {
    const vector = vectorOf(text, size);
    const embedding = encoding_format === "base64" ? Buffer.from(vector.buffer).toString("base64") : [...vector];
    return { object: "embedding", index, embedding };
  });
  const tokens = texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0);
  return { object: "list", model, data, usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

/**
 * Returns the vector of a text, scaled to length one. The hash of each word gives a direction. The vector is the sum of the directions of
 * the first 500 words.
 */
function vectorOf(text: string, size: number): Float32Array<ArrayBuffer> {
  const words = [wordsOf(text), allWords(text), [text]].find(({ length }) => length > 0) ?? [];
  const vector = new Float32Array(size);
  for (const word of new Set(words.slice(0, 500))) {
    const shake = createHash("shake256", { outputLength: Math.ceil(size / 8) });
    const bits = shake.update(word).digest();
    for (const [at, sum] of vector.entries()) vector[at] = sum + (((bits[at >> 3] ?? 0) >> (at & 7)) & 1 ? 1 : -1);
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}
