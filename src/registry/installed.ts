import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/** An installed copy of a package. */
export interface Installed {
  folder: string;
  version: string;
}

/**
 * Returns the copy of a package that is installed for the files in the folder `from`. These files do not get this copy if the service
 * redirects their imports to its own copy. Returns undefined if no copy is installed.
 */
export function findInstalled(name: string, from: string): Installed | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return { folder: candidate, version: versionIn(candidate) };
    if (dirname(folder) === folder) return undefined;
  }
}

/** Returns the version of a package in this service's own dependencies. */
export const ourVersion = (name: string): string => versionIn(dirname(require.resolve(`${name}/package.json`)));

function versionIn(folder: string): string {
  const { version }: { version?: string } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return version ?? "unknown";
}

const langgraph = "@langchain/langgraph";

/**
 * Compares the project's LangGraph with this service's copy, which executes the project's graphs. Returns a sentence for the user if the
 * versions differ, and undefined otherwise. Throws if the project has version 0.x, because graphs for 0.x do not work with 1.x.
 */
export function compareLangGraph(folders: string[]): string | undefined {
  const ours = ourVersion(langgraph);
  const differing = folders.map((folder) => findInstalled(langgraph, folder)).filter((found) => found && found.version !== ours);
  const old = differing.find((found) => found?.version.startsWith("0."));
  if (old) {
    throw new Error(
      `The project has langgraph ${old.version} (${old.folder}), and Ensemble runs graphs on ${ours}. ` +
        `Graphs for 0.x do not run there: install ${langgraph} 1.x in the project.`,
    );
  }
  return differing[0] && `project has langgraph ${differing[0].version}, runs on ${ours}`;
}
