import type { StructuredToolInterface } from "@langchain/core/tools";
import { type OpenServer, openServer, serverNamed } from "./mcp.ts";
import type { AgentData } from "./schema.ts";

/** An MCP server: a program to start, or an address to call. `tools` lists those that may be used. Without it, all may. */
export type McpServer =
  | { command: string; args?: string[]; env?: Record<string, string>; cwd?: string; tools?: string[] }
  | { url: string; headers?: Record<string, string>; tools?: string[] };

/** The tools, agents and servers that a project defines. A context can name them, and only the project can define one. */
interface Project {
  tools: Map<string, StructuredToolInterface>;
  agents: Map<string, AgentData>;
  servers: Map<string, McpServer>;
  /** The connections, by the name of their server. */
  open: Map<string, OpenServer>;
}

// A symbol of the process, because the package and the sources of a checkout can be loaded side by side and must share the project.
const key = Symbol.for("ensemble.project");
const place = globalThis as { [key]?: Project };

const present = (): Project => {
  place[key] ??= { tools: new Map(), agents: new Map(), servers: new Map(), open: new Map() };
  return place[key];
};

/** Sets the parts of the project. Returns a function that forgets them and ends their connections. */
export function setProject(parts: Omit<Project, "open">): () => Promise<void> {
  const project: Project = { ...parts, open: new Map() };
  place[key] = project;
  return async () => {
    if (place[key] === project) delete place[key];
    await Promise.all([...project.open.values()].map((server) => server.close()));
  };
}

/** Returns the agent that the project defines under a name. */
export const projectAgent = (name: string): AgentData | undefined => present().agents.get(name);

/** Returns the names under which a context can use the project's tools and agents. Of an MCP server, only listed tools have a known name. */
export function projectToolNames(): string[] {
  const { tools, agents, servers } = present();
  const remote = [...servers].flatMap(([server, { tools: listed = ["<tool>"] }]) => listed.map((tool) => `${server}/${tool}`));
  return [...tools.keys(), ...[...agents.keys()].map((name) => `agent:${name}`), ...remote];
}

/** Tells whether a context may use a name. Whether an MCP server has the tool is known only when it is asked. */
export function isProjectTool(name: string): boolean {
  const { tools, agents, servers } = present();
  if (tools.has(name) || (name.startsWith("agent:") && agents.has(name.slice(6)))) return true;
  const found = serverNamed(name, servers);
  return found !== undefined && (found.config.tools?.includes(found.tool) ?? true);
}

/** Returns a tool of the project's code or of one of its MCP servers. */
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
