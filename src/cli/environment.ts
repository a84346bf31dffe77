import { existsSync } from "node:fs";
import { adoptEnvironment, type Config, projectFile, readConfig } from "../config.ts";
import { readProject } from "../registry/project.ts";

/**
 * Returns the configuration of a command. Variables of the process override the project's. Unlike `ensemble start`, a command also works
 * without a project.
 */
export async function readEnvironment(): Promise<Config> {
  const file = projectFile();
  if (existsSync(file)) adoptEnvironment((await readProject(file)).env);
  return readConfig();
}
