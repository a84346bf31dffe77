import { readFile, realpath, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { fetchPage } from "../fetch-page.ts";
import { allowedDirectories, allowedHosts, isWithin } from "../operator-limits.ts";
import type { Source } from "./schema.ts";

const longestFile = 5_000_000;
const longestPdf = 20_000_000;

/** The error of a source that cannot be read. A retry would fail in the same way. */
export class KnowledgeError extends Error {
  override name = "KnowledgeError";
}

/** Returns the name by which the model knows a source. */
export const nameOf = ({ name, file, pdf, page, store }: Source): string => name ?? file ?? pdf ?? page ?? store?.join("/") ?? "text";

/** Returns the text of a source. If the source cannot be read, throws an error that names the source. */
export async function readSource(source: Source, hosts: string[] | null, signal: AbortSignal | undefined): Promise<string> {
  const { text, file, pdf, page } = source;
  try {
    if (text !== undefined) return text;
    if (page !== undefined) return await fetchPage(page, { allowedHosts: allowedHosts(hosts), signal });
    return file === undefined
      ? await readPdf(await findFile(pdf as string, source, longestPdf))
      : await readText(await findFile(file, source, longestFile));
  } catch (error) {
    signal?.throwIfAborted();
    throw new KnowledgeError(`The knowledge "${nameOf(source)}" cannot be read: ${(error as Error).message}`);
  }
}

/** Returns the real path of a file. Unless the source comes from code, the path must lie in a directory that the operator allows. */
async function findFile(path: string, { isOwn }: Source, longest: number): Promise<string> {
  const candidates = isOwn ? [resolve(path)] : (await allowedDirectories(null)).map((directory) => resolve(directory, path));
  for (const candidate of candidates) {
    const real = await realpath(candidate).catch(() => undefined);
    if (real === undefined) continue;
    const isAllowed = isOwn || (await allowedDirectories(null)).some((directory) => isWithin(real, directory));
    if (!isAllowed) throw new Error("it is outside the directories that the operator allows.");
    const { size } = await stat(real);
    if (size > longest) throw new Error(`it has ${size} bytes, and ${longest} are the most.`);
    return real;
  }
  throw new Error("there is no such file.");
}

async function readText(path: string): Promise<string> {
  const text = await readFile(path, "utf8");
  if (text.includes("\u0000")) throw new Error("it is not a text file.");
  return text;
}

/** Returns the text of a PDF. The PDF library is large, so it is imported on first use. */
async function readPdf(path: string): Promise<string> {
  const { extractText, getDocumentProxy } = await import("unpdf");
  const document = await getDocumentProxy(new Uint8Array(await readFile(path)));
  const { text } = await extractText(document, { mergePages: true });
  if (text.trim() === "") throw new Error("the PDF has no text. It may consist of scanned pages.");
  return text;
}
