import { readFile, realpath, stat } from "node:fs/promises";
import { getStore, type LangGraphRunnableConfig } from "@langchain/langgraph";
import { allowedDirectories, allowedHosts, closed, fetchPage, isWithin } from "ensemble/patterns";
import { z } from "zod";

const largestFile = 20_000_000;
const mostItems = 100_000;
const pageOfStore = 1_000;

/** The source from which a run reads its items, if they are not in its input. */
export const ItemsFrom = closed(
  {
    url: z.url().optional().describe("Address of a JSON list, or of a text with one item a line"),
    file: z.string().min(1).optional().describe("File of the server, in a directory that the operator allows"),
    store: z.array(z.string().min(1)).min(1).optional().describe("Namespace of the store. Each of its values is an item."),
  },
  (given) => (Object.keys(given).length === 1 ? [] : [{ path: [], message: "give one of url, file, store" }]),
);

interface Allowed {
  allowedHosts: string[] | null;
  allowedDirectories: string[] | null;
}

/** Reads the items. Throws an error that names the source if the source cannot be read. */
export async function readItems(from: z.infer<typeof ItemsFrom>, allowed: Allowed, config: LangGraphRunnableConfig): Promise<unknown[]> {
  const { url, file, store } = from;
  if (store) return limit(await readStore(store, config), store.join("/"));
  if (url !== undefined)
    return limit(itemsIn(await fetchPage(url, { allowedHosts: allowedHosts(allowed.allowedHosts), signal: config.signal })), url);
  return limit(itemsIn(await readAllowed(file ?? "", allowed)), file ?? "");
}

function limit(items: unknown[], source: string): unknown[] {
  if (items.length <= mostItems) return items;
  throw new Error(`${source} has ${items.length} items; ${mostItems} are the most.`);
}

/** Returns the items in a text: the entries of a JSON list, or otherwise the lines that are not empty. */
export function itemsIn(text: string): unknown[] {
  if (/^\s*\[/.test(text)) {
    try {
      const parsed: unknown = JSON.parse(text);
      if (Array.isArray(parsed)) return parsed;
    } catch {
      // not JSON, so each line is an item
    }
  }
  return text.split(/\r?\n/).filter((line) => line.trim() !== "");
}

async function readAllowed(file: string, { allowedDirectories: context }: Allowed): Promise<string> {
  const allowed = await allowedDirectories(context);
  const path = await realpath(file).catch(() => undefined);
  if (path === undefined || !allowed.some((directory) => isWithin(path, directory))) {
    throw new Error(`${file} may not be read. The operator allows directories in ENSEMBLE_PATTERN_DIRECTORIES.`);
  }
  if ((await stat(path)).size > largestFile) throw new Error(`${file} is larger than ${largestFile} bytes.`);
  return readFile(path, "utf8");
}

async function readStore(namespace: string[], config: LangGraphRunnableConfig): Promise<unknown[]> {
  const store = getStore(config);
  if (!store) throw new Error("There is no store to read the items from.");
  const items: unknown[] = [];
  for (let offset = 0; items.length <= mostItems; offset += pageOfStore) {
    const page = await store.search(namespace, { limit: pageOfStore, offset });
    items.push(...page.map(({ value }) => value));
    if (page.length < pageOfStore) break;
  }
  return items;
}
