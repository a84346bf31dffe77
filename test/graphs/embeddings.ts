/** The meaning of each word as a vector: water, height, plants. A text's vector is the sum of the vectors of its words. */
const meanings: Record<string, [water: number, height: number, plants: number]> = {
  river: [1, 0, 0],
  stream: [0.9, 0.1, 0],
  sea: [1, -0.3, 0],
  mountain: [0, 1, 0],
  hill: [0, 0.8, 0.2],
  forest: [0.1, 0.2, 1],
  tree: [0, 0.3, 0.9],
};

function vectorOf(text: string): number[] {
  const words = (text.toLowerCase().match(/[a-z]+/g) ?? []).map((word) => meanings[word] ?? [0, 0, 0]);
  return [0, 1, 2].map((part) => words.reduce((sum, meaning) => sum + (meaning[part] ?? 0), 0));
}

/** Turns texts into vectors, or into something invalid if the text asks for it. */
export async function embed(texts: string[]): Promise<unknown> {
  const [text = ""] = texts;
  const counter = Symbol.for("test.embedded");
  Reflect.set(globalThis, counter, Number(Reflect.get(globalThis, counter) ?? 0) + texts.length);
  if (text.includes("outage")) throw new Error("the endpoint is gone");
  if (text.includes("too long")) throw Object.assign(new Error("too many tokens"), { status: 400 });
  if (text.includes("short vector")) return texts.map(() => [1, 2]);
  if (text.includes("not numbers")) return texts.map(() => [1, Number.NaN, 0]);
  if (text.includes("too few")) return [];
  return texts.map(vectorOf);
}

/** The same function as an object of LangChain's `Embeddings`. */
export const embeddings = { embedDocuments: embed };
