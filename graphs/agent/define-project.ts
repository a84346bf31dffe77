import type { StructuredToolInterface } from "@langchain/core/tools";
import { z } from "zod";
import type { RemoteAgent } from "./a2a/card.ts";
import type { Workable } from "./agent.ts";
import type { GuardFunction } from "./guards/in-code.ts";
import { setProjectGuards } from "./guards/project-guards.ts";
import { type McpServer, setProject } from "./project.ts";
import { setProjectGraphs } from "./project-graphs.ts";
import { AgentData } from "./schema.ts";

export interface ProjectParts {
  tools?: StructuredToolInterface[];
  agents?: unknown[];
  mcp?: Record<string, McpServer>;
  /** Remote agents that speak the Agent2Agent protocol, by name. A run's context refers to an agent as `a2a:<name>`. */
  a2a?: Record<string, RemoteAgent>;
  /** Functions that check values, by name. Guardrails refer to these names. */
  guards?: Record<string, GuardFunction>;
  /**
   * Graphs that steps and tools can run, by graph id. Leave this out in the service, because the service knows the graphs of
   * langgraph.json.
   */
  graphs?: Record<string, Workable>;
}

/**
 * Defines the tools, agents, MCP servers and remote agents that a run's context can name. The service calls this function when it starts,
 * with the parts that langgraph.json lists. A program that runs patterns without the service calls it before the first run. Returns a
 * function that removes the definitions and closes the connections to the MCP servers.
 */
export function defineProject({ tools = [], agents = [], mcp = {}, a2a = {}, guards = {}, graphs }: ProjectParts): () => Promise<void> {
  for (const tool of tools)
    if (typeof tool?.name !== "string" || !("invoke" in tool)) throw new Error("a tool has no name or cannot be invoked");
  setProjectGuards(guards);
  const named = z.array(z.looseObject({ name: z.string({ error: "an agent has no name" }) })).parse(agents);
  // All names are registered first, because an agent may have other agents as tools.
  const known = new Map<string, AgentData>(named.map(({ name }) => [name, {} as AgentData]));
  const end = setProject({
    tools: new Map(tools.map((tool) => [tool.name, tool])),
    agents: known,
    servers: new Map(Object.entries(mcp)),
    remotes: new Map(Object.entries(a2a)),
  });
  for (const agent of named) {
    const parsed = AgentData.safeParse(agent);
    if (!parsed.success) throw new Error(`agent "${agent.name}": ${z.prettifyError(parsed.error).replaceAll("\n", " ")}`);
    known.set(agent.name, parsed.data);
  }
  if (graphs) setProjectGraphs(graphs);
  return async () => {
    setProjectGuards({});
    await end();
  };
}
