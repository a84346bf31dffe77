import { existsSync } from "node:fs";
import { adoptEnvironment, type Config, projectFile, readConfig } from "../config.ts";
import { readProject } from "../registry/project.ts";

/**
 * Returns the configuration for a command. Variables of the process take precedence over those of the project. A command also works
 * without a project file, unlike `ensemble start`.
 */
export async function readEnvironment(): Promise<Config> {
  const file = projectFile();
  if (existsSync(file)) adoptEnvironment((await readProject(file)).env);
  return readConfig();
}
