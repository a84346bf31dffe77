import { createRequire } from "node:module";
import { getInteropZodDefaultGetter } from "@langchain/core/utils/types";
import { withLangGraph } from "@langchain/langgraph/zod";
import { z } from "zod";

/** The entry of LangGraph that gives schemas their `.langgraph` method. */
export const zodEntry = "@langchain/langgraph/zod";
/** The entries of zod. Zod 4 has all of them, older releases of zod 3 only the first. */
export const zodEntries = ["zod", "zod/v3", "zod/v4"];

const mark = "?zod-of=";
const Wanted = z.object({ importer: z.string(), zods: z.array(z.string()) });

/** Returns the address of a module that is our zod entry, and extends the zod of whoever imports it. */
export const extendingUrl = (entryUrl: string, wanted: z.infer<typeof Wanted>): string =>
  `${entryUrl}${mark}${encodeURIComponent(JSON.stringify(wanted))}`;

/** Returns the source of such a module. Undefined for every other address. */
export function extendingSource(url: string): string | undefined {
  const [entryUrl, wanted] = url.split(mark);
  if (wanted === undefined) return undefined;
  const { importer, zods } = Wanted.parse(JSON.parse(decodeURIComponent(wanted)));
  return [
    ...zods.map((zod, index) => `import * as zod${index} from ${JSON.stringify(zod)};`),
    `import { extendZods } from ${JSON.stringify(import.meta.url)};`,
    `export * from ${JSON.stringify(entryUrl)};`,
    `extendZods([${zods.map((_, index) => `zod${index}`).join(", ")}], ${JSON.stringify(importer)});`,
  ].join("\n");
}

/** Extends these copies of zod, and those that a `require()` in the importer's file would get. */
export function extendZods(zods: unknown[], importer: string): void {
  const require = createRequire(importer);
  const required = zodEntries.map((name) => {
    try {
      return require(name);
    } catch {
      return undefined; // this zod has no such entry
    }
  });
  for (const zod of [...zods, ...required]) extendZod(zod);
}

/** LangGraph's own list of the prototypes that have the method already. */
const extended = (globalThis as { [key: symbol]: WeakSet<object> | undefined })[Symbol.for("langgraph-zod")];

function extendZod(zod: unknown): void {
  const { ZodType } = (zod ?? {}) as { ZodType?: { prototype?: object } };
  const prototype = ZodType?.prototype;
  if (!prototype || "langgraph" in prototype) return;
  Object.defineProperty(prototype, "langgraph", { get: methodsOf, configurable: true });
  extended?.add(prototype);
}

type AnySchema = Parameters<typeof withLangGraph>[0];
type Meta = NonNullable<Parameters<typeof withLangGraph>[1]>;

/** The value of `.langgraph` on a schema, as in LangGraph's own extension. */
function methodsOf(this: AnySchema) {
  return {
    metadata: (jsonSchemaExtra: Meta["jsonSchemaExtra"]) => withLangGraph(this, { jsonSchemaExtra }),
    reducer: (fn: NonNullable<Meta["reducer"]>["fn"], schema?: NonNullable<Meta["reducer"]>["schema"]) =>
      withLangGraph(this, { default: getInteropZodDefaultGetter(this), reducer: { schema, fn } } as Meta),
  };
}
