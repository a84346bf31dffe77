import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type DefinitionInput, parseDefinition } from "./definition.ts";

/**
 * Reads the crew in a folder from agents.yaml, tasks.yaml, and the optional crew.yaml with other settings. The first two may also be in the
 * folder `config`, where CrewAI keeps them. If a file is wrong, throws an error that names the file.
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
