import type { StructuredToolInterface } from "@langchain/core/tools";
import { type OpenServer, openServer, serverNamed } from "./mcp.ts";
import type { AgentData } from "./schema.ts";

/**
 * An MCP server: a program to start, or a URL to call. `tools` lists the tools that may be used. Without the list, all of the server's
 * tools may be used.
 */
export type McpServer =
  | { command: string; args?: string[]; env?: Record<string, string>; cwd?: string; tools?: string[] }
  | { url: string; headers?: Record<string, string>; tools?: string[] };

/** The tools, agents and MCP servers that a project defines. A context can only name them. */
interface Project {
  tools: Map<string, StructuredToolInterface>;
  agents: Map<string, AgentData>;
  servers: Map<string, McpServer>;
  /** The connections to MCP servers, by the server's name. */
  open: Map<string, OpenServer>;
}

// The key is a global symbol, because the package and the sources of a checkout can be loaded side by side and must share the project.
const key = Symbol.for("ensemble.project");
const place = globalThis as { [key]?: Project };

const present = (): Project => {
  place[key] ??= { tools: new Map(), agents: new Map(), servers: new Map(), open: new Map() };
  return place[key];
};

/** Sets the parts of the project. Returns a function that removes them and closes the connections to the MCP servers. */
export function setProject(parts: Omit<Project, "open">): () => Promise<void> {
  const project: Project = { ...parts, open: new Map() };
  place[key] = project;
  return async () => {
    if (place[key] === project) delete place[key];
    await Promise.all([...project.open.values()].map((server) => server.close()));
  };
}

/** Returns the project's agent with this name. */
export const projectAgent = (name: string): AgentData | undefined => present().agents.get(name);

export const projectAgentNames = (): string[] => [...present().agents.keys()];

/**
 * Returns the names under which a context can use the project's tools and agents. The tools of an MCP server are known only if the project
 * lists them. Otherwise the name is `<server>/<tool>`.
 */
export function projectToolNames(): string[] {
  const { tools, agents, servers } = present();
  const remote = [...servers].flatMap(([server, { tools: listed = ["<tool>"] }]) => listed.map((tool) => `${server}/${tool}`));
  return [...tools.keys(), ...[...agents.keys()].map((name) => `agent:${name}`), ...remote];
}

/** Tells whether a context may use a name. For a tool of an MCP server without a list, only the server knows whether the tool exists. */
export function isProjectTool(name: string): boolean {
  const { tools, agents, servers } = present();
  if (tools.has(name) || (name.startsWith("agent:") && agents.has(name.slice(6)))) return true;
  const found = serverNamed(name, servers);
  return found !== undefined && (found.config.tools?.includes(found.tool) ?? true);
}

/** Returns the tool with this name from the project's code or from one of its MCP servers. */
export async function openProjectTool(name: string): Promise<StructuredToolInterface | undefined> {
  const { tools, servers, open } = present();
  const own = tools.get(name);
  if (own) return own;
  const found = serverNamed(name, servers);
  if (!found || !isProjectTool(name)) return undefined;
  const server = open.get(found.server) ?? openServer(found.server, found.config);
  open.set(found.server, server);
  return server.tool(found.tool);
}
