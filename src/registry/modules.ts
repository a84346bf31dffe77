import { existsSync } from "node:fs";
import { registerHooks } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { register } from "tsx/esm/api";

/** Packages that must exist once: two copies break interrupts, `instanceof` and the context that nodes run in. */
const shared = ["@langchain/langgraph", "@langchain/core", "@langchain/langgraph-checkpoint", "@langchain/langgraph-sdk", "ensemble"];

let prepared = false;

/**
 * Imports a user's file, TypeScript of any kind included. Whatever the project has installed, it gets our copy of LangGraph. The
 * hooks are the process's own and are set once: this is the one piece of module state, because Node's module loader is global.
 */
export async function importUserModule(file: string): Promise<Record<string, unknown>> {
  if (!prepared) {
    prepared = true;
    // Not tsx/cjs as well, which would make path aliases work without "type": "module": a require() would get a second copy of LangGraph.
    register({ tsconfig: nearestTsconfig(dirname(file)) });
    registerHooks({ resolve: resolveToOurs });
  }
  return import(pathToFileURL(file).href);
}

/** The project's compiler options, path aliases above all, wherever the service was started from. */
function nearestTsconfig(directory: string): string | undefined {
  const file = join(directory, "tsconfig.json");
  if (existsSync(file)) return file;
  return dirname(directory) === directory ? undefined : nearestTsconfig(dirname(directory));
}

const resolveToOurs: Parameters<typeof registerHooks>[0]["resolve"] = (specifier, context, next) => {
  if (!shared.some((name) => specifier === name || specifier.startsWith(`${name}/`))) return next(specifier, context);
  try {
    // An ES module even for a require(): the CommonJS build would be a second copy.
    return { url: import.meta.resolve(specifier), format: "module", shortCircuit: true };
  } catch {
    return next(specifier, context); // a subpath that our version does not have: let the project's own say so
  }
};
