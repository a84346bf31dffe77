import { existsSync } from "node:fs";
import Module, { registerHooks } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { register } from "tsx/esm/api";
import { extendingSource, extendingUrl, extendZods, zodEntries, zodEntry } from "./project-zod.ts";
import { packageOf } from "./shared-packages.ts";

const isSource = import.meta.url.endsWith(".ts");

/**
 * The entry points of this package, for graphs that import the package. If this file is a TypeScript source, the entry points are sources
 * too. Otherwise, they are built files.
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
 * Imports a file of the user, which may be TypeScript. Whichever version of LangGraph the project has installed, the file gets this
 * service's copy. Hooks in Node's module loader redirect the imports. The loader is global, so the hooks are set only once per process, and
 * this file keeps module state for that.
 */
export async function importUserModule(file: string): Promise<Record<string, unknown>> {
  if (!prepared) {
    prepared = true;
    await import("@langchain/langgraph"); // Node 22 can require() an ES module only if the module was loaded before
    // Uses tsx's hooks for ES modules, and not tsx/cjs. With tsx/cjs, path aliases would also work without "type": "module", but a
    // require() would load a second copy of LangGraph.
    register({ tsconfig: nearestTsconfig(dirname(file)) });
    registerHooks({ resolve: resolveToOurs, load: loadExtending });
    requireOurs();
  }
  return import(pathToFileURL(file).href);
}

/**
 * Returns the path of the nearest tsconfig.json in a directory or above it. The project's compiler options, such as path aliases, then
 * apply in whatever directory the service was started.
 */
function nearestTsconfig(directory: string): string | undefined {
  const file = join(directory, "tsconfig.json");
  if (existsSync(file)) return file;
  return dirname(directory) === directory ? undefined : nearestTsconfig(dirname(directory));
}

type Hooks = Required<Parameters<typeof registerHooks>[0]>;

/**
 * The folder of this package's own files. Their imports of LangGraph's zod entry are not redirected to `extendingUrl`. The module at that
 * URL imports our zod patch, and the patch imports the zod entry, so the two modules would wait for each other.
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
 * The URLs of the users' plain JavaScript files, in the order in which they were loaded. After a syntax error, these files are checked.
 * TypeScript files are not listed, because tsx names the file and line in its own errors.
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
 * Returns the URL of our copy of a shared package. Returns undefined for any other package, and for a subpath that our version lacks,
 * because the project's own copy may have that subpath.
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
