import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { makeDataDirectory } from "../db/data-directory.ts";
import { describeProcess, isSameProcess } from "../db/process-identity.ts";

/** The file that a running service keeps in its data directory: its address and its process. */
const Published = z.object({ url: z.string(), process: z.string() });

/**
 * Writes into the data directory where this process's service listens, for the commands of the same project. The function that is returned
 * takes it away. A directory that cannot be written is no reason not to serve: then the commands need `--url`.
 */
export async function publishAddress(dataDir: string, url: string): Promise<() => Promise<void>> {
  const folder = folderIn(dataDir);
  const file = join(folder, `${process.pid}.json`);
  const draft = `${file}.draft`;
  try {
    await makeDataDirectory(dataDir);
    await mkdir(folder, { recursive: true });
    await removeDead(folder);
    await writeFile(draft, JSON.stringify({ url, process: await describeProcess(process.pid) }));
    await rename(draft, file); // never seen half-written
  } catch {
    return async () => {};
  }
  return () => rm(file, { force: true });
}

/** Returns where a living service of this data directory listens, if there is one. */
export async function findPublished(dataDir: string): Promise<string | undefined> {
  const folder = folderIn(dataDir);
  for (const file of await filesOf(folder)) {
    const published = await read(file);
    if (published && (await isSameProcess(published.process))) return published.url;
  }
  return undefined;
}

const folderIn = (dataDir: string) => join(resolve(dataDir), "services");

async function filesOf(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => join(folder, name));
}

async function read(file: string) {
  const text = await readFile(file, "utf8").catch(() => "null");
  try {
    return Published.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** A killed service takes nothing away. */
async function removeDead(folder: string): Promise<void> {
  for (const file of await filesOf(folder)) {
    const published = await read(file);
    if (!published || !(await isSameProcess(published.process))) await rm(file, { force: true });
  }
}
