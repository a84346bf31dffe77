import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findInstalled, ourVersion } from "./installed.ts";
import { packageOf } from "./shared-packages.ts";

/**
 * Returns a sentence when a file failed because it imports from a shared package what our version of it does not have. An ES module says
 * so itself. Compiled to CommonJS it fails later, where the name is used.
 */
export async function findMissingExport(error: unknown, file: string | undefined): Promise<string | undefined> {
  const message = error instanceof Error ? error.message : "";
  const said = /requested module '([^']+)' does not provide an export named '([^']+)'/.exec(message);
  const [specifier, name] = said ? [said[1], said[2]] : await findUse(message, file);
  const shared = specifier && packageOf(specifier);
  if (!shared || !name || (!said && (await weHave(specifier, name)))) return undefined;
  const theirs = file && findInstalled(shared, dirname(file));
  const without = `"${name}" is not in ${specifier} ${ourVersion(shared)}, on which Ensemble runs graphs`;
  if (!theirs || theirs.version === ourVersion(shared)) return without;
  const has = (await isDeclared(theirs.folder, name)) ? ", which has it," : "";
  return `${without}; the project's ${theirs.version}${has} is not used`;
}

/** Finds which import a call of an undefined name came from: `import_langgraph.Name is not a constructor`. */
async function findUse(message: string, file: string | undefined): Promise<[string?, string?]> {
  const name = /\bimport_\w+\.(\w+)\)? is not a (?:function|constructor)/.exec(message)?.[1];
  if (!name || !file) return [];
  const text = await readFile(file, "utf8").catch(() => "");
  for (const [, names = "", specifier] of text.matchAll(/import\s*\{([^}]*)\}\s*from\s*["']([^"']+)["']/g)) {
    if (names.split(",").some((each) => each.trim().split(/\s+/)[0] === name)) return [specifier, name];
  }
  return [];
}

const weHave = async (specifier: string, name: string): Promise<boolean> =>
  import(specifier).then(
    (module: object) => name in module,
    () => true, // not ours to tell
  );

/** Whether a package's types speak of a name. Its code is not loaded: it would be a second copy. */
async function isDeclared(folder: string, name: string): Promise<boolean> {
  const files = ["dist/index.d.ts", "dist/web.d.ts", "dist/prebuilt/index.d.ts"];
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8").catch(() => "")));
  return texts.some((text) => new RegExp(`\\b${name}\\b`).test(text));
}
