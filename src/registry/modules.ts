import { existsSync } from "node:fs";
import Module, { registerHooks } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { register } from "tsx/esm/api";
import { extendingSource, extendingUrl, extendZods, zodEntries, zodEntry } from "./project-zod.ts";
import { packageOf } from "./shared-packages.ts";

/** What a graph gets when it imports this package: the code that runs it, from the sources or as built. */
const ourselves = new URL(`../index.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url).href;

let prepared = false;
let resolving = false;

/**
 * Imports a user's file, TypeScript of any kind included. Whatever the project has installed, it gets our copy of LangGraph. The
 * hooks are the process's own and are set once: these flags are the one piece of module state, because Node's module loader is global.
 */
export async function importUserModule(file: string): Promise<Record<string, unknown>> {
  if (!prepared) {
    prepared = true;
    await import("@langchain/langgraph"); // Node 22 can require() an ES module only when it is loaded already
    // Not tsx/cjs as well, which would make path aliases work without "type": "module": a require() would get a second copy of LangGraph.
    register({ tsconfig: nearestTsconfig(dirname(file)) });
    registerHooks({ resolve: resolveToOurs, load: loadExtending });
    requireOurs();
  }
  return import(pathToFileURL(file).href);
}

/** The project's compiler options, path aliases above all, wherever the service was started from. */
function nearestTsconfig(directory: string): string | undefined {
  const file = join(directory, "tsconfig.json");
  if (existsSync(file)) return file;
  return dirname(directory) === directory ? undefined : nearestTsconfig(dirname(directory));
}

type Hooks = Required<Parameters<typeof registerHooks>[0]>;

/** Our own module imports the entry as well, and must not wait for the one that imports it in turn. */
const ourFolder = new URL(".", import.meta.url).href;
const isOfUser = (importer: string | undefined): importer is string =>
  importer?.startsWith("file:") === true && !importer.startsWith(ourFolder);

const resolveToOurs: Hooks["resolve"] = (specifier, context, next) => {
  const url = ourUrl(specifier);
  if (url === undefined) return next(specifier, context);
  const importer = context.parentURL;
  const own = specifier === zodEntry && isOfUser(importer) ? extendingUrl(url, { importer, zods: zodsOf(importer) }) : url;
  // An ES module even for a require(): the CommonJS build would be a second copy.
  return { url: own, format: "module", shortCircuit: true };

  /** The zod that the importer's file would get by import. */
  function zodsOf(parentURL: string): string[] {
    const conditions = [...context.conditions.filter((condition) => condition !== "require"), "import"];
    return zodEntries.flatMap((name) => {
      try {
        return next(name, { ...context, conditions, parentURL }).url;
      } catch {
        return []; // the importer has no zod, or one without this entry
      }
    });
  }
};

const loadExtending: Hooks["load"] = (url, context, next) => {
  const source = extendingSource(url);
  return source === undefined ? next(url, context) : { source, format: "module", shortCircuit: true };
};

/** Node 22 asks no hook where compiled TypeScript requires; there this is the way in. */
function requireOurs(): void {
  const loader = Module as unknown as { _resolveFilename(specifier: string, ...others: unknown[]): string };
  const resolveFilename = loader._resolveFilename;
  loader._resolveFilename = function (specifier, ...others) {
    const url = ourUrl(specifier);
    const [importer] = others as [{ filename?: string } | undefined];
    if (url !== undefined && specifier === zodEntry && importer?.filename) extendZods([], importer.filename);
    return url === undefined ? resolveFilename.call(this, specifier, ...others) : fileURLToPath(url);
  };
}

/** Where our copy is; undefined for what is not shared, and for a subpath that our version does not have: the project's own may. */
function ourUrl(specifier: string): string | undefined {
  if (specifier === "ensemble") return ourselves;
  if (resolving || packageOf(specifier) === undefined) return undefined;
  resolving = true; // import.meta.resolve asks the hooks as well
  try {
    return import.meta.resolve(specifier);
  } catch {
    return undefined;
  } finally {
    resolving = false;
  }
}
