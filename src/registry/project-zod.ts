import { createRequire } from "node:module";
import { z } from "zod";
import { patchZodMethods } from "../patches/zod-methods.ts";

/** The LangGraph module that gives zod schemas their `.langgraph` method. */
export const zodEntry = "@langchain/langgraph/zod";
/** The entry points of zod. Zod 4 has all three. Older releases of zod 3 have only "zod". */
export const zodEntries = ["zod", "zod/v3", "zod/v4"];

const mark = "?zod-of=";
const Extension = z.object({ importer: z.string(), zods: z.array(z.string()) });

/**
 * Returns the URL of a generated module that replaces LangGraph's zod entry. It has the same exports. When a file imports it, it also adds
 * the `.langgraph` method to the copies of zod that this file imports.
 */
export const extendingUrl = (entryUrl: string, extension: z.infer<typeof Extension>): string =>
  `${entryUrl}${mark}${encodeURIComponent(JSON.stringify(extension))}`;

/** Returns the source code of the module at a URL from `extendingUrl`. Returns undefined for any other URL. */
export function extendingSource(url: string): string | undefined {
  const [entryUrl, extension] = url.split(mark);
  if (extension === undefined) return undefined;
  const { importer, zods } = Extension.parse(JSON.parse(decodeURIComponent(extension)));
  return [
    ...zods.map((zod, index) => `import * as zod${index} from ${JSON.stringify(zod)};`),
    `import { extendZods } from ${JSON.stringify(import.meta.url)};`,
    `export * from ${JSON.stringify(entryUrl)};`,
    `extendZods([${zods.map((_, index) => `zod${index}`).join(", ")}], ${JSON.stringify(importer)});`,
  ].join("\n");
}

/** Adds the `.langgraph` method to the given copies of zod, and to those that the importing file would get from `require()`. */
export function extendZods(zods: unknown[], importer: string): void {
  const require = createRequire(importer);
  const required = zodEntries.map((name) => {
    try {
      return require(name);
    } catch {
      return undefined; // this zod lacks the entry point
    }
  });
  for (const zod of [...zods, ...required]) patchZodMethods(zod);
}
