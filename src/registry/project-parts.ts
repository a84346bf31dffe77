import { readFile } from "node:fs/promises";
import { importUserModule, patternLibrary } from "./modules.ts";
import type { PartSources, Project, Source } from "./project.ts";

/**
 * Passes the project's tools, skills, guards, agents, MCP servers and remote agents to the patterns, so that contexts and inputs can name
 * them. If one of them is invalid, throws an error that names the file. Returns a function that removes them and closes the connections to
 * the MCP servers.
 */
export async function loadProjectParts(
  { file, parts }: Project,
  variable: (name: string) => string | undefined,
): Promise<() => Promise<void>> {
  const { tools, skills, guards, agents, mcp, a2a } = parts;
  if (!tools && !skills && !guards && !agents && Object.keys({ ...mcp, ...a2a }).length === 0) return async () => undefined;
  const library = (await importUserModule(patternLibrary)) as unknown as Library;
  const list = await loadList(tools, "tools");
  const own = await loadList(skills, "skills");
  const checks = guards ? await loadExport(guards, "an object of functions") : {};
  const team = agents === undefined ? [] : await readAgents(agents);
  const servers = withFile(file, () => withVariables(mcp, variable));
  const remotes = withFile(file, () => withTokens(a2a, variable));
  const end = withFile(agents ?? tools?.file ?? guards?.file ?? file, () =>
    library.defineProject({ tools: list, guards: checks, agents: team, mcp: servers, a2a: remotes }),
  );
  library.setProjectSkills(own);
  return async () => {
    library.setProjectSkills([]);
    await end();
  };
}

/** Calls `work`. If `work` throws, adds the name of the file to the error's message. */
function withFile<Result>(file: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
}

/** The functions of `ensemble/patterns` to which this file passes the parts of a project. */
interface Library {
  defineProject(parts: object): () => Promise<void>;
  setProjectSkills(skills: unknown[]): void;
}

async function loadList(source: Source | undefined, what: string): Promise<unknown[]> {
  if (!source) return [];
  const exported = await loadExport(source, `a list of ${what}`);
  return Array.isArray(exported) ? exported : Object.values(exported);
}

async function loadExport({ file, exportName }: Source, what: string): Promise<object> {
  const { [exportName]: exported } = await importUserModule(file);
  if (typeof exported === "object" && exported !== null) return exported;
  throw new Error(`${file}: the export "${exportName}" should be ${what}.`);
}

async function readAgents(file: string): Promise<unknown[]> {
  const { parse } = await import("yaml"); // loaded only here, because most projects have no such file
  let content: unknown;
  try {
    content = parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new Error(`${file} cannot be read: ${(error as Error).message}`);
  }
  if (Array.isArray(content)) return content;
  throw new Error(`${file} should be a list of agents.`);
}

/**
 * Replaces each `${NAME}` in the environment and the headers of the MCP servers with the variable's value. Secrets thus need not be in the
 * project file.
 */
function withVariables(mcp: PartSources["mcp"], variable: (name: string) => string | undefined) {
  const expand = (values: Record<string, string> | undefined, server: string) => expandAll(values, `mcp.${server}`, variable);
  return Object.fromEntries(
    Object.entries(mcp).map(([name, server]) => [
      name,
      { ...server, env: expand(server.env, name), headers: expand(server.headers, name) },
    ]),
  );
}

/** Adds the token of each remote agent to the agent's headers, and replaces each `${NAME}` in the headers with the variable's value. */
function withTokens(a2a: PartSources["a2a"], variable: (name: string) => string | undefined) {
  return Object.fromEntries(
    Object.entries(a2a).map(([name, { token, headers, ...remote }]) => {
      const all = { ...headers, ...(token && { authorization: `Bearer \${${token}}` }) };
      return [name, { ...remote, headers: expandAll(all, `a2a.${name}`, variable) }];
    }),
  );
}

function expandAll(values: Record<string, string> | undefined, owner: string, variable: (name: string) => string | undefined) {
  return values && Object.fromEntries(Object.entries(values).map(([name, value]) => [name, expandValue(value, owner, variable)]));
}

function expandValue(value: string, owner: string, variable: (name: string) => string | undefined): string {
  return value.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const found = variable(name);
    if (found === undefined) throw new Error(`ensemble.${owner} needs the variable ${name}, which is not set.`);
    return found;
  });
}
