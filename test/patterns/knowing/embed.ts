import { createHash } from "node:crypto";

const dims = 256;
const count = globalThis as { embedded?: string[] };

/** Returns vectors in which each word has a direction of its own. The test reads which texts were embedded. */
export function embed(texts: string[]): number[][] {
  count.embedded?.push(...texts);
  return texts.map((text) => {
    const vector = new Array<number>(dims).fill(0);
    for (const word of new Set(text.toLowerCase().match(/[a-z]+/g) ?? ["none"])) {
      const at = createHash("sha256").update(word).digest().readUInt16BE(0) % dims;
      vector[at] = 1;
    }
    return vector;
  });
}
