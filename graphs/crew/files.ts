import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type DefinitionInput, parseDefinition } from "./definition.ts";

/**
 * Reads the crew of a folder: agents.yaml, tasks.yaml, and crew.yaml for its other settings, which need not exist. CrewAI keeps the first
 * two in a folder `config`, so they may also be there. Throws an error that names the file if something is wrong.
 */
export async function readCrew(folder: string): Promise<DefinitionInput> {
  const [agents, tasks, settings] = await Promise.all(["agents", "tasks", "crew"].map((name) => readYaml(folder, name)));
  for (const [name, content] of Object.entries({ agents, tasks })) {
    if (content === undefined) throw new Error(`There is no ${name}.yaml in ${folder} or in its folder config.`);
  }
  return parseDefinition({ ...Object(settings), agents, tasks });
}

async function readYaml(folder: string, name: string): Promise<unknown> {
  const { parse } = await import("yaml");
  for (const file of [join(folder, `${name}.yaml`), join(folder, "config", `${name}.yaml`)]) {
    const content = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (content === undefined) continue;
    try {
      return parse(content) ?? undefined;
    } catch (error) {
      throw new Error(`${file}: ${(error as Error).message}`);
    }
  }
  return undefined;
}
