import { existsSync } from "node:fs";
import Module, { registerHooks } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { register } from "tsx/esm/api";
import { extendingSource, extendingUrl, extendZods, zodEntries, zodEntry } from "./project-zod.ts";
import { packageOf } from "./shared-packages.ts";

const isSource = import.meta.url.endsWith(".ts");

/**
 * The entry points of this package, which graphs can import. When the service runs from its TypeScript sources, these are source files.
 * Otherwise, they are built files.
 */
const ourselves: Record<string, string> = {
  ensemble: new URL(isSource ? "../index.ts" : "../index.js", import.meta.url).href,
  "ensemble/testing": new URL(isSource ? "../../graphs/testing/index.ts" : "../patterns/testing/index.js", import.meta.url).href,
  "ensemble/patterns": new URL(isSource ? "../../graphs/index.ts" : "../patterns/index.js", import.meta.url).href,
};

/** The file of the library of patterns (`ensemble/patterns`). */
export const patternLibrary = fileURLToPath(ourselves["ensemble/patterns"] as string);

let prepared = false;
let resolving = false;

/**
 * Imports a file of the user, which may be TypeScript. The file's imports of LangGraph get this service's copy, whichever version the
 * project has installed. Hooks in Node's module loader redirect the imports. The loader is global, so the hooks are registered only once
 * per process, and `prepared` records this.
 */
export async function importUserModule(file: string): Promise<Record<string, unknown>> {
  if (!prepared) {
    prepared = true;
    await import("@langchain/langgraph"); // Node 22 can require() an ES module only if the module was loaded before
    // Registers tsx's hooks for ES modules, and not tsx/cjs. With tsx/cjs, path aliases would also work in projects without "type":
    // "module". However, a require() would then load a second copy of LangGraph.
    register({ tsconfig: nearestTsconfig(dirname(file)) });
    registerHooks({ resolve: resolveToOurs, load: loadExtending });
    requireOurs();
  }
  return import(pathToFileURL(file).href);
}

/**
 * Returns the path of the tsconfig.json in a directory or in the nearest directory above it. The project's own compiler options, such as
 * path aliases, thus apply even if the service was started in another directory.
 */
function nearestTsconfig(directory: string): string | undefined {
  const file = join(directory, "tsconfig.json");
  if (existsSync(file)) return file;
  return dirname(directory) === directory ? undefined : nearestTsconfig(dirname(directory));
}

type Hooks = Required<Parameters<typeof registerHooks>[0]>;

/**
 * The folder of this package's own files. If they import LangGraph's zod entry, they get it directly and not through the module at
 * `extendingUrl`. That module imports our zod patch, which itself imports the zod entry, so the two modules would wait for each other.
 */
const ourFolder = new URL("..", import.meta.url).href;
const isOfUser = (importer: string | undefined): importer is string =>
  importer?.startsWith("file:") === true && !importer.startsWith(ourFolder);

const resolveToOurs: Hooks["resolve"] = (specifier, context, next) => {
  const url = ourUrl(specifier);
  if (url === undefined) return next(specifier, context);
  const importer = context.parentURL;
  const own = specifier === zodEntry && isOfUser(importer) ? extendingUrl(url, { importer, zods: zodsOf(importer) }) : url;
  // A require() gets the ES module as well, because the package's CommonJS build would be a second copy.
  return { url: own, format: "module", shortCircuit: true };

  /** Returns the URLs of the copies of zod that the importing file would load. */
  function zodsOf(parentURL: string): string[] {
    const conditions = [...context.conditions.filter((condition) => condition !== "require"), "import"];
    return zodEntries.flatMap((name) => {
      try {
        return next(name, { ...context, conditions, parentURL }).url;
      } catch {
        return []; // the importing file has no zod, or a zod without this entry point
      }
    });
  }
};

/**
 * The URLs of the plain JavaScript files of the user's project, in the order in which they were loaded. After a syntax error, these files
 * are checked to find the faulty line. TypeScript files are not listed, because the errors of tsx already name the file and the line.
 */
const loadedUrls = new Set<string>();

/** Returns the paths of the users' plain JavaScript files, the most recently loaded first. */
export const recentlyLoaded = (): string[] => [...loadedUrls].reverse().map((url) => fileURLToPath(url));

const loadExtending: Hooks["load"] = (url, context, next) => {
  if (/^file:[^?]*\.[cm]?js(\?|$)/.test(url) && !url.includes("/node_modules/")) loadedUrls.add(url);
  const source = extendingSource(url);
  return source === undefined ? next(url, context) : { source, format: "module", shortCircuit: true };
};

/**
 * Makes require() resolve shared packages to our copies. TypeScript that was compiled to CommonJS needs this, because Node 22 does not call
 * the hooks for its require().
 */
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

/**
 * Returns the URL of our copy of a shared package. Returns undefined if the package is not shared. Also returns undefined if our version
 * lacks the imported subpath, because the project's own copy may have it.
 */
function ourUrl(specifier: string): string | undefined {
  if (Object.hasOwn(ourselves, specifier)) return ourselves[specifier];
  if (resolving || packageOf(specifier) === undefined) return undefined;
  resolving = true; // import.meta.resolve calls the hooks, which call this function again
  try {
    return import.meta.resolve(specifier);
  } catch {
    return undefined;
  } finally {
    resolving = false;
  }
}
