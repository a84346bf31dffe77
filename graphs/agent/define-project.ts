import type { StructuredToolInterface } from "@langchain/core/tools";
import { z } from "zod";
import { type McpServer, setProject } from "./project.ts";
import { AgentData } from "./schema.ts";

export interface ProjectParts {
  tools?: StructuredToolInterface[];
  agents?: unknown[];
  mcp?: Record<string, McpServer>;
}

/**
 * Defines the tools, the agents and the MCP servers that contexts can name. The service does this with the project's own at its start. In
 * a program without the service, call it before the first run. Returns a function that forgets them and ends their connections.
 */
export function defineProject({ tools = [], agents = [], mcp = {} }: ProjectParts): () => Promise<void> {
  for (const tool of tools)
    if (typeof tool?.name !== "string" || !("invoke" in tool)) throw new Error("a tool has no name or cannot be invoked");
  const named = z.array(z.looseObject({ name: z.string({ error: "an agent has no name" }) })).parse(agents);
  // The names come first, because the tools of an agent can be other agents.
  const known = new Map<string, AgentData>(named.map(({ name }) => [name, {} as AgentData]));
  const end = setProject({ tools: new Map(tools.map((tool) => [tool.name, tool])), agents: known, servers: new Map(Object.entries(mcp)) });
  for (const agent of named) {
    const parsed = AgentData.safeParse(agent);
    if (!parsed.success) throw new Error(`agent "${agent.name}": ${z.prettifyError(parsed.error).replaceAll("\n", " ")}`);
    known.set(agent.name, parsed.data);
  }
  return end;
}
