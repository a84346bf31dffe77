import { access, constants, lstat, open, readdir, readFile, realpath } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { isWithin } from "../agent/operator-limits.ts";

const sampleBytes = 8_000;

interface Listing {
  /** The directories that may be read, as real paths. */
  allowed: string[];
  most: number;
  longestFile: number;
}

/**
 * Returns the paths of the text files below a directory, sorted by name. It does not follow links, because they may lead outside the
 * allowed directories.
 */
export async function listFiles(directory: string, { allowed, most, longestFile }: Listing): Promise<string[]> {
  const root = await admit(directory, allowed);
  // throws if the requested directory is unreadable, although an unreadable directory inside it is only skipped
  await access(root, constants.R_OK);
  const paths: string[] = [];
  for await (const path of walk(root)) {
    if (paths.length >= most) break;
    if (await isText(path, longestFile)) paths.push(relative(root, path));
  }
  return paths;
}

/** Reads a file from the list that `listFiles` returned. Checks the file again, because it may have been replaced by a link since then. */
export async function readListed(directory: string, path: string, allowed: string[]): Promise<string> {
  const place = join(await admit(directory, allowed), path);
  if ((await realpath(place)) !== place) throw new Error(`${path} has become a link.`);
  return readFile(place, "utf8");
}

/**
 * Returns the real path of a directory that may be read. For any other directory, throws an error that does not reveal whether the path
 * exists.
 */
async function admit(directory: string, allowed: string[]): Promise<string> {
  const isAllowed = (path: string) => allowed.some((one) => isWithin(path, one));
  const root = await realpath(directory).catch((error: Error) => {
    if (isAllowed(resolve(directory))) throw error;
  });
  if (root !== undefined && isAllowed(root)) return root;
  throw new Error(
    `${directory} may not be read. The operator allows directories in ENSEMBLE_PATTERN_DIRECTORIES, and the context's allowedDirectories narrow them.`,
  );
}

async function* walk(directory: string): AsyncGenerator<string> {
  const found = await readdir(directory, { withFileTypes: true }).catch(() => []); // an unreadable directory is skipped
  for (const entry of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name === "node_modules" || entry.name === ".git") continue;
    if (entry.isDirectory()) yield* walk(join(directory, entry.name));
    else if (entry.isFile()) yield join(directory, entry.name);
  }
}

/**
 * Tells whether a file is text. Reads only its beginning, so that no large file is held in memory. A file that cannot be read is not a
 * text.
 */
async function isText(path: string, longestFile: number): Promise<boolean> {
  try {
    if ((await lstat(path)).size > longestFile) return false;
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(sampleBytes), 0, sampleBytes, 0);
    return !buffer.subarray(0, bytesRead).includes(0);
  } catch {
    return false;
  }
}
