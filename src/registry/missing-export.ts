import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findInstalled, ourVersion } from "./installed.ts";
import { packageOf } from "./shared-packages.ts";

/**
 * Returns a sentence about the missing name if a file imports a name that our version of a shared package lacks. The error of an ES module
 * contains this name. A CommonJS file fails only where it uses the name. In that case, the file's text is searched for the import.
 */
export async function findMissingExport(error: unknown, file: string | undefined): Promise<string | undefined> {
  const message = error instanceof Error ? error.message : "";
  const reported = /requested module '([^']+)' does not provide an export named '([^']+)'/.exec(message);
  const [specifier, name] = reported ? [reported[1], reported[2]] : await findUse(message, file);
  const shared = specifier && packageOf(specifier);
  if (!shared || !name || (!reported && (await isInOurCopy(specifier, name)))) return undefined;
  const theirs = file && findInstalled(shared, dirname(file));
  const without = `"${name}" is not in ${specifier} ${ourVersion(shared)}, on which Ensemble runs graphs`;
  if (!theirs || theirs.version === ourVersion(shared)) return without;
  const has = (await isDeclared(theirs.folder, name)) ? ", which has it," : "";
  return `${without}; the project's ${theirs.version}${has} is not used`;
}

/**
 * Finds the import behind an error such as `import_langgraph.Name is not a constructor`. Returns the module and the name that the file
 * imports from it.
 */
async function findUse(message: string, file: string | undefined): Promise<[string?, string?]> {
  const name = /\bimport_\w+\.(\w+)\)? is not a (?:function|constructor)/.exec(message)?.[1];
  if (!name || !file) return [];
  const text = await readFile(file, "utf8").catch(() => "");
  for (const [, names = "", specifier] of text.matchAll(/import\s*\{([^}]*)\}\s*from\s*["']([^"']+)["']/g)) {
    if (names.split(",").some((each) => each.trim().split(/\s+/)[0] === name)) return [specifier, name];
  }
  return [];
}

const isInOurCopy = async (specifier: string, name: string): Promise<boolean> =>
  import(specifier).then(
    (module: object) => name in module,
    () => true, // the package cannot be read, so the original error is reported
  );

/**
 * Tells whether a package's type declarations contain a name. The declarations are read as text, because an import would load a second copy
 * of the package.
 */
async function isDeclared(folder: string, name: string): Promise<boolean> {
  const files = ["dist/index.d.ts", "dist/web.d.ts", "dist/prebuilt/index.d.ts"];
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8").catch(() => "")));
  return texts.some((text) => new RegExp(`\\b${name}\\b`).test(text));
}
