import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type Config, projectFile, readConfig } from "../../config.ts";
import { type Project, readProject } from "../../registry/project.ts";

/** The project and its configuration, as `ensemble dev` reads them before each start of the service. */
export interface ProjectState {
  config: Config;
  project: Project;
}

/**
 * Reads the project without changing `process.env`. Otherwise, variables from an earlier start would override the project's current
 * variables at the next start.
 */
export async function readState(): Promise<ProjectState> {
  const project = await readProject(projectFile());
  const given = Object.entries(process.env).filter(([, value]) => value !== "");
  return { project, config: readConfig({ ...project.env, ...Object.fromEntries(given) }) };
}

/**
 * Returns the files and folders to watch in addition to the imported files. If the project cannot be read, the result still
 * contains the project file, package.json and tsconfig.json.
 */
export async function watchedPaths(state: ProjectState | undefined): Promise<{ files: string[]; paths: string[] }> {
  const file = resolve(projectFile());
  const root = dirname(file);
  const { project } = state ?? {};
  const sources = project
    ? [...project.graphs.map((graph) => graph.file), ...Object.values(project.ui).map((path) => resolve(root, path))]
    : [];
  const files = [file, ...(await environmentFile(file)), join(root, "tsconfig.json"), join(root, "package.json"), ...sources];
  const paths = [project?.parts.assistants, project?.parts.agents].filter((path) => path !== undefined);
  return { files, paths };
}

/**
 * Returns a list with the path of the environment file that the project file names. The list is empty if there is no project file, if it is
 * malformed, or if it names no such file.
 */
async function environmentFile(file: string): Promise<string[]> {
  if (!existsSync(file)) return [];
  try {
    const { env }: { env?: unknown } = JSON.parse(await readFile(file, "utf8"));
    return typeof env === "string" ? [resolve(dirname(file), env)] : [];
  } catch {
    return [];
  }
}
