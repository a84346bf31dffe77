import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findInstalled, ourVersion } from "./installed.ts";
import { packageOf } from "./shared-packages.ts";

/**
 * Returns a sentence if a file failed because it imports a name that our version of a shared package lacks. An ES module reports the
 * missing name itself. A file compiled to CommonJS fails later, where the name is used.
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

/** Returns the module and the name of the import behind an error such as `import_langgraph.Name is not a constructor`. */
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
    () => true, // unknown, so the original error is reported
  );

/**
 * Returns whether a package's types mention a name. The types are read as text, because importing the package would create a second copy of
 * it.
 */
async function isDeclared(folder: string, name: string): Promise<boolean> {
  const files = ["dist/index.d.ts", "dist/web.d.ts", "dist/prebuilt/index.d.ts"];
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8").catch(() => "")));
  return texts.some((text) => new RegExp(`\\b${name}\\b`).test(text));
}
