import type { StructuredToolInterface } from "@langchain/core/tools";

/** Tools that the project defines beside its graphs. A context can name them. Only the project can define one. */
export interface ProjectTools {
  names(): string[];
  has(name: string): boolean;
  /** Opens a tool. A tool of an MCP server connects first. */
  open(name: string): Promise<StructuredToolInterface | undefined>;
}

const none: ProjectTools = { names: () => [], has: () => false, open: async () => undefined };

// A symbol of the process, because the package and a checkout's graphs can be loaded side by side and must share the project.
const key = Symbol.for("ensemble.project.tools");
const place = globalThis as { [key]?: ProjectTools };

/** Sets the tools of the project. The service calls this once, before the first run. */
export function useProjectTools(tools: ProjectTools): void {
  place[key] = tools;
}

export const projectTools: ProjectTools = {
  names: () => (place[key] ?? none).names(),
  has: (name) => (place[key] ?? none).has(name),
  open: (name) => (place[key] ?? none).open(name),
};
