import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Logger } from "pino";
import { z } from "zod";

/** The built files of the UI components that browsers load, by graph id and then by file name. */
export type UiBundles = Map<string, Map<string, Buffer>>;

export interface UiSources {
  /** The path of langgraph.json. The paths in `ui` are relative to its folder. */
  file: string;
  ui: Record<string, string>;
  uiShared: string[];
}

/**
 * Tells whether a path leads to a built file of a UI component. Any page may load such files. Other paths below `/ui/` may be routes of the
 * project's app.
 */
export function isBundlePath(bundles: UiBundles | undefined, path: string): boolean {
  const [, graphId, file] = /^\/ui\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  if (!bundles || graphId === undefined || file === undefined) return false;
  try {
    return bundles.get(decodeURIComponent(graphId))?.has(decodeURIComponent(file)) ?? false;
  } catch {
    return false; // the path has malformed percent-encoding
  }
}

const bundlerPackage = "@langchain/langgraph-ui";

type Build = (options: { cwd: string; defs: Record<string, string>; config: { shared: string[] }; output: string }) => Promise<void>;
const Bundler = z.object({ build: z.custom<Build>((value) => typeof value === "function") });

/**
 * Returns the built files of the project's UI components. Returns undefined if the project has no components, if it disables them, or if no
 * bundler is installed.
 */
export async function provideUi(
  project: UiSources & { http: { disable_ui?: boolean | undefined } },
  log: Logger,
): Promise<UiBundles | undefined> {
  if (project.http.disable_ui || Object.keys(project.ui).length === 0) return undefined;
  const bundles = await buildUi(project);
  if (!bundles) log.warn(`${project.file}: ui is ignored, because ${bundlerPackage} is not installed.`);
  return bundles;
}

/**
 * Builds the files of the project's UI components. Returns undefined if no bundler is installed. The bundler is optional, because most
 * projects have no UI components.
 */
async function buildUi({ file, ui, uiShared }: UiSources): Promise<UiBundles | undefined> {
  const bundler = await loadBundler(file);
  if (!bundler) return undefined;
  const output = await mkdtemp(join(tmpdir(), "ensemble-ui-"));
  try {
    await bundler.build({ cwd: dirname(file), defs: ui, config: { shared: uiShared }, output }).catch((cause: Error) => {
      throw new Error(`${file}: ui could not be bundled: ${cause.message}`, { cause });
    });
    const folders = Object.keys(ui).map(async (graphId) => [graphId, await readFolder(join(output, "public", graphId))] as const);
    return new Map(await Promise.all(folders));
  } finally {
    await rm(output, { recursive: true, force: true });
  }
}

/** Loads the project's bundler, or else the one that is installed with this package. Returns undefined if there is neither. */
async function loadBundler(file: string): Promise<z.infer<typeof Bundler> | undefined> {
  const path = pathOf(bundlerPackage, file) ?? pathOf(bundlerPackage, import.meta.url);
  return path === undefined ? undefined : Bundler.parse(await import(pathToFileURL(path).href));
}

function pathOf(name: string, from: string): string | undefined {
  try {
    return createRequire(from).resolve(name);
  } catch {
    return undefined;
  }
}

async function readFolder(folder: string): Promise<Map<string, Buffer>> {
  const names = await readdir(folder);
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)));
}
