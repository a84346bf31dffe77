import { existsSync } from "node:fs";
import { adoptEnvironment, type Config, projectFile, readConfig } from "../config.ts";
import { readProject } from "../registry/project.ts";

/** Returns the configuration of a command: the process's environment over the project's. Only the service itself needs a project. */
export async function readEnvironment(): Promise<Config> {
  const file = projectFile();
  if (existsSync(file)) adoptEnvironment((await readProject(file)).env);
  return readConfig();
}
