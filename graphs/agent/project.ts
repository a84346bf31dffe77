import type { StructuredToolInterface } from "@langchain/core/tools";
import type { RemoteAgent } from "./a2a/card.ts";
import { type OpenRemote, openRemote } from "./a2a/remote.ts";
import { type OpenServer, openServer, serverNamed } from "./mcp.ts";
import { projectGraphIds } from "./project-graphs.ts";
import type { AgentData } from "./schema.ts";

/**
 * An MCP server: a program to start, or a URL to call. `tools` lists the tools that may be used. If `tools` is undefined, all tools of the
 * server may be used.
 */
export type McpServer =
  | { command: string; args?: string[]; env?: Record<string, string>; cwd?: string; tools?: string[] }
  | { url: string; headers?: Record<string, string>; tools?: string[] };

/** The tools, agents, MCP servers and remote agents of a project. A caller's context can name them, but cannot define any. */
interface Project {
  tools: Map<string, StructuredToolInterface>;
  agents: Map<string, AgentData>;
  servers: Map<string, McpServer>;
  /** The remote agents that speak the Agent2Agent protocol, by name. */
  remotes: Map<string, RemoteAgent>;
  /** The connections to MCP servers, by the server's name. */
  open: Map<string, OpenServer>;
  /** The remote agents that have been opened, by name. */
  openRemotes: Map<string, OpenRemote>;
}

// The key is a global symbol. The package and a checkout of its sources may both be loaded in one process, and must then share the
// definitions of the project.
const key = Symbol.for("ensemble.project");
const place = globalThis as { [key]?: Project };

const present = (): Project => {
  place[key] ??= { tools: new Map(), agents: new Map(), servers: new Map(), remotes: new Map(), open: new Map(), openRemotes: new Map() };
  return place[key];
};

/** Sets the parts of the project. Returns a function that removes them, and closes the connections to the MCP servers. */
export function setProject(parts: Omit<Project, "open" | "openRemotes">): () => Promise<void> {
  const project: Project = { ...parts, open: new Map(), openRemotes: new Map() };
  place[key] = project;
  return async () => {
    if (place[key] === project) delete place[key];
    await Promise.all([...project.open.values()].map((server) => server.close()));
  };
}

const remotePrefix = "a2a:";

/** Returns the project's agent with this name. */
export const projectAgent = (name: string): AgentData | undefined => present().agents.get(name);

export const projectAgentNames = (): string[] => [...present().agents.keys()];

/**
 * Returns the names by which a context can use the project's tools and agents. An MCP server without a list of tools appears as
 * `<server>/<tool>`, because its tools are not known before it is reached.
 */
export function projectToolNames(): string[] {
  const { tools, agents, servers, remotes } = present();
  const served = [...servers].flatMap(([server, { tools: listed = ["<tool>"] }]) => listed.map((tool) => `${server}/${tool}`));
  const graphs = projectGraphIds().map((id) => `graph:${id}`);
  return [
    ...tools.keys(),
    ...[...agents.keys()].map((name) => `agent:${name}`),
    ...graphs,
    ...[...remotes.keys()].map((name) => `${remotePrefix}${name}`),
    ...served,
  ];
}

/**
 * Tells whether a context may use this name. If an MCP server has no list of tools, any name of the form `<server>/<tool>` is accepted,
 * because only the server knows its tools.
 */
export function isProjectTool(name: string): boolean {
  const { tools, agents, servers, remotes } = present();
  if (name.startsWith(remotePrefix)) return remotes.has(name.slice(remotePrefix.length));
  if (name.startsWith("graph:")) return projectGraphIds().includes(name.slice("graph:".length));
  if (tools.has(name) || (name.startsWith("agent:") && agents.has(name.slice(6)))) return true;
  const found = serverNamed(name, servers);
  return found !== undefined && (found.config.tools?.includes(found.tool) ?? true);
}

/** Returns the project's tool with this name, from its code, an MCP server or a remote agent. Returns undefined if there is none. */
export async function openProjectTool(name: string): Promise<StructuredToolInterface | undefined> {
  const { tools, servers, open } = present();
  const own = tools.get(name);
  if (own) return own;
  if (name.startsWith(remotePrefix)) return openRemoteAgent(name.slice(remotePrefix.length));
  const found = serverNamed(name, servers);
  if (!found || !isProjectTool(name)) return undefined;
  const server = open.get(found.server) ?? openServer(found.server, found.config);
  open.set(found.server, server);
  return server.tool(found.tool);
}

async function openRemoteAgent(name: string): Promise<StructuredToolInterface | undefined> {
  const { remotes, openRemotes } = present();
  const config = remotes.get(name);
  if (!config) return undefined;
  const remote = openRemotes.get(name) ?? openRemote(name, config);
  openRemotes.set(name, remote);
  return remote.tool();
}
