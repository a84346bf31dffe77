import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { Config } from "../config.ts";
import { makeDataDirectory } from "../db/data-directory.ts";
import { describeProcess, isSameProcess } from "../db/process-identity.ts";

export interface ServiceAddress {
  url: string;
  /**
   * Where the URL comes from. It is "port" if the URL follows from PORT, "service" if a running service has published the URL, and "nobody"
   * for the default URL.
   */
  source: "port" | "service" | "nobody";
}

/**
 * Returns the URL of the project's service, and the source of this URL. The URL comes from PORT, or else from a running service. Otherwise,
 * it is the default URL.
 */
export async function ownAddress({ host, port, portIsSet, dataDir }: Config): Promise<ServiceAddress> {
  const url = addressOf(host, port);
  if (portIsSet && port !== 0) return { url, source: "port" };
  const published = await findPublished(dataDir);
  return published ? { url: published, source: "service" } : { url, source: "nobody" };
}

/** Returns a URL for requests to this host and port. For a host that means all addresses, uses the loopback address. */
export function addressOf(host: string, port: number): string {
  const name = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host] ?? host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/**
 * The content of the file in which a running service publishes its URL. The file is in the data directory. `process` identifies the
 * service's process.
 */
const Published = z.object({ url: z.string(), process: z.string() });

/**
 * Writes the service's URL into a file of the data directory, where commands of the same project find it. Returns a function that removes
 * the file. If the file cannot be written, the service still runs, but commands need `--url`.
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
    await rename(draft, file); // renamed into place, so that no other process reads a half-written file
  } catch {
    return async () => {};
  }
  return () => rm(file, { force: true });
}

/** Returns the URL of a running service that uses this data directory, or undefined if there is none. */
async function findPublished(dataDir: string): Promise<string | undefined> {
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

/** Removes the published files of services that were killed and no longer run. */
async function removeDead(folder: string): Promise<void> {
  for (const file of await filesOf(folder)) {
    const published = await read(file);
    if (!published || !(await isSameProcess(published.process))) await rm(file, { force: true });
  }
}
