import { access, constants, lstat, open, readdir, readFile, realpath } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { isWithin } from "../agent/operator-limits.ts";

const sampleBytes = 8_000;

interface Listing {
  /** Directories that may be read, as real paths. */
  allowed: string[];
  most: number;
  longestFile: number;
}

/**
 * Returns the paths of text files below a directory, sorted by name. Links are not followed, because they may lead outside the allowed
 * directories.
 */
export async function listFiles(directory: string, { allowed, most, longestFile }: Listing): Promise<string[]> {
  const root = await admit(directory, allowed);
  await access(root, constants.R_OK); // throws if the directory is unreadable, because it was requested. Unreadable entries inside it are left out
  const paths: string[] = [];
  for await (const path of walk(root)) {
    if (paths.length >= most) break;
    if (await isText(path, longestFile)) paths.push(relative(root, path));
  }
  return paths;
}

/** Reads a file from the list. Checks the file again, because it may have become a link since it was listed. */
export async function readListed(directory: string, path: string, allowed: string[]): Promise<string> {
  const place = join(await admit(directory, allowed), path);
  if ((await realpath(place)) !== place) throw new Error(`${path} has become a link.`);
  return readFile(place, "utf8");
}

/**
 * Returns the real path of a directory that may be read. Throws for every other path, and the error does not reveal whether the path
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
  const found = await readdir(directory, { withFileTypes: true }).catch(() => []); // an unreadable directory is left out
  for (const entry of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name === "node_modules" || entry.name === ".git") continue;
    if (entry.isDirectory()) yield* walk(join(directory, entry.name));
    else if (entry.isFile()) yield join(directory, entry.name);
  }
}

/**
 * Tells whether a file is text. Reads only the beginning, so that no whole file is held in memory. An unreadable file does not count as
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
