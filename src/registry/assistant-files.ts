import { readdir, readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { z } from "zod";
import type { Registry } from "./registry.ts";

const AssistantFile = z.strictObject({
  graph: z.string().min(1),
  name: z.string().trim().min(1),
  description: z.string().trim().min(1),
  context: z.record(z.string(), z.unknown()).default({}),
  config: z.record(z.string(), z.unknown()).default({}),
  example: z.record(z.string(), z.unknown()),
});

/** An assistant that the project defines in a file. */
export interface PresetAssistant extends Omit<z.infer<typeof AssistantFile>, "graph"> {
  /** The name of the file without its extension. Callers can use it in place of the assistant's id. */
  preset: string;
  graph_id: string;
}

/**
 * Reads the assistants in a folder. Each is a YAML file with the graph, a name, a description, a context, and an example input. If a file
 * is invalid, or its graph refuses the context or the example, throws an error that names the file.
 */
export async function readAssistants(folder: string | undefined, registry: Registry): Promise<PresetAssistant[]> {
  if (folder === undefined) return [];
  const names = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).sort();
  return Promise.all(names.map((name) => readAssistant(join(folder, name), registry)));
}

async function readAssistant(file: string, registry: Registry): Promise<PresetAssistant> {
  const fail = (problem: string) => new Error(`${file}: ${problem}`);
  const { parse } = await import("yaml"); // loaded only here, because most projects have no such folder
  let content: unknown;
  try {
    content = parse(await readFile(file, "utf8"));
  } catch (error) {
    throw fail((error as Error).message);
  }
  const parsed = AssistantFile.safeParse(content);
  if (!parsed.success) throw fail(z.prettifyError(parsed.error).replaceAll("\n", " "));
  const { graph, ...assistant } = parsed.data;
  const preset = basename(file, extname(file));
  if (!registry.has(graph)) throw fail(`there is no graph "${graph}"; there are ${registry.graphIds.join(", ")}.`);
  if (registry.has(preset)) throw fail(`there is a graph with the name of this file, "${preset}".`);
  const issues = await registry.validate(graph, { input: assistant.example, context: assistant.context });
  if (issues.length > 0) throw fail(issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join(" "));
  return { preset, graph_id: graph, ...assistant };
}
