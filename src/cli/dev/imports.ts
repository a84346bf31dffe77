import { createRequire, registerHooks } from "node:module";
import { sep } from "node:path";
import { fileURLToPath } from "node:url";

const everyMs = 100;

/**
 * Reports the files that this process imports, except those of installed packages. Returns a function that immediately reports the imported
 * files that are not reported yet.
 */
export function reportImports(report: (files: string[]) => void): () => void {
  const known = new Set<string>();
  let unreported: string[] = [];
  function add(file: string): void {
    if (known.has(file) || file.includes(`${sep}node_modules${sep}`)) return;
    known.add(file);
    unreported.push(file);
  }

  registerHooks({
    load(url, context, next) {
      if (url.startsWith("file:")) add(fileURLToPath(withoutQuery(url)));
      return next(url, context);
    },
  });
  const { cache } = createRequire(import.meta.url); // also lists CommonJS files, which Node 22 loads without the hook
  function flush(): void {
    for (const file of Object.keys(cache)) add(file);
    if (unreported.length > 0) report(unreported);
    unreported = [];
  }
  setInterval(flush, everyMs).unref();
  return flush;
}

const withoutQuery = (url: string) => url.replace(/[?#].*$/, "");
