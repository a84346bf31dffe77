import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { Config } from "../config.ts";
import { makeDataDirectory } from "../db/data-directory.ts";
import { describeProcess, isSameProcess } from "../db/process-identity.ts";

export interface ServiceAddress {
  url: string;
  /**
   * The source of the URL. It is "port" if PORT is set, "service" if a running service has published the URL, and "nobody" for the default
   * URL.
   */
  source: "port" | "service" | "nobody";
}

/** Returns the URL of the project's service. It comes from PORT, or else from a running service. Otherwise it is the default URL. */
export async function ownAddress({ host, port, portIsSet, dataDir }: Config): Promise<ServiceAddress> {
  const url = addressOf(host, port);
  if (portIsSet && port !== 0) return { url, source: "port" };
  const published = await findPublished(dataDir);
  return published ? { url: published, source: "service" } : { url, source: "nobody" };
}

/** Returns the URL for requests. If the service listens on all addresses, it is a URL of this machine. */
function addressOf(host: string, port: number): string {
  const name = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host] ?? host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/** The file in the data directory in which a running service publishes its URL. `process` identifies the service's process. */
const Published = z.object({ url: z.string(), process: z.string() });

/**
 * Writes the service's URL into the data directory, where commands of the same project find it. Returns a function that removes it. If the
 * directory cannot be written, the service still runs, but commands then need `--url`.
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
    await rename(draft, file); // renamed into place, so that no process reads a half-written file
  } catch {
    return async () => {};
  }
  return () => rm(file, { force: true });
}

/** Returns the URL of a running service that uses this data directory, if there is one. */
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

/** Removes the files of services that were killed and no longer run. */
async function removeDead(folder: string): Promise<void> {
  for (const file of await filesOf(folder)) {
    const published = await read(file);
    if (!published || !(await isSameProcess(published.process))) await rm(file, { force: true });
  }
}
