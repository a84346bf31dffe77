import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import type { Arguments } from "../arguments.ts";
import { readDocument, readStart, runGraph } from "./run-command.ts";
import type { ExitCode } from "./session.ts";

/** Runs `ensemble crew <folder>`, which starts a run of the graph `crew` with the agents and tasks of the folder's YAML files. */
export async function crew(args: Arguments): Promise<ExitCode> {
  const { words, texts } = args;
  const options = await readStart(args);
  if (options.resume !== undefined) return runGraph(args, "crew", options);
  const inputs = texts.inputs === undefined ? undefined : await readDocument("--inputs", texts.inputs);
  const input = { ...(await readCrew(words[0] ?? "")), ...(inputs && { inputs }) };
  return runGraph(args, "crew", { ...options, input });
}

/**
 * Reads a crew's files from the folder or its subfolder `config`, where CrewAI keeps them. The graph validates the content of the files.
 * The optional file crew.yaml has the other keys, such as `process`.
 */
async function readCrew(folder: string): Promise<Record<string, unknown>> {
  const [agents, tasks, settings] = await Promise.all(["agents", "tasks", "crew"].map((name) => readYaml(folder, `${name}.yaml`)));
  if (agents === undefined) throw new Error(`There is no agents.yaml in ${folder} or in its folder config.`);
  if (tasks === undefined) throw new Error(`There is no tasks.yaml in ${folder} or in its folder config.`);
  return { ...Object(settings), agents, tasks };
}

async function readYaml(folder: string, name: string): Promise<unknown> {
  for (const file of [join(folder, name), join(folder, "config", name)]) {
    const content = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
      throw new Error(`${file} cannot be read (${error.code ?? error.message}).`);
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
