const chunkLength = 1_000;
/** The maximum number of chunks of one source. Each chunk needs one embedding call. */
const mostChunks = 1_000;

/**
 * Cuts a text into chunks of at most 1,000 characters. A chunk ends after a paragraph, a sentence or a word, if such a boundary is near
 * enough.
 */
export function chunksOf(text: string): string[] {
  const chunks: string[] = [];
  let rest = text.trim();
  while (rest.length > 0) {
    const end = rest.length <= chunkLength ? rest.length : endOf(rest.slice(0, chunkLength));
    chunks.push(rest.slice(0, end).trim());
    rest = rest.slice(end).trim();
    if (chunks.length > mostChunks) throw new Error(`it is longer than ${mostChunks} passages of ${chunkLength} characters.`);
  }
  return chunks;
}

/** Returns the position where a chunk should end: the last boundary in the second half of the chunk. */
function endOf(chunk: string): number {
  const half = chunk.length / 2;
  const ends = [
    chunk.lastIndexOf("\n\n"),
    Math.max(...[". ", "! ", "? ", "\n"].map((mark) => chunk.lastIndexOf(mark) + 1)),
    chunk.lastIndexOf(" "),
  ];
  return ends.find((end) => end > half) ?? chunk.length;
}
