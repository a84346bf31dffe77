import { z } from "zod";
import type { Workable } from "./agent.ts";

/**
 * Gives patterns access to the graphs of the project. The service sets this object after it has loaded the graphs, because patterns cannot
 * import the service.
 */
export interface ProjectGraphs {
  ids: string[];
  open(graphId: string): Promise<Workable & { name?: string; description?: string }>;
}

const key = Symbol.for("ensemble.graphs");
const place = globalThis as { [key]?: ProjectGraphs };

export function setProjectGraphs(graphs: Record<string, Workable>): void {
  place[key] = { ids: Object.keys(graphs), open: async (graphId) => graphs[graphId] as Workable };
}

export const projectGraphIds = (): string[] => place[key]?.ids ?? [];

/** Returns a graph of the project by its id. */
export async function openProjectGraph(graphId: string): ReturnType<ProjectGraphs["open"]> {
  const graphs = place[key];
  if (!graphs?.ids.includes(graphId)) throw new Error(`There is no graph "${graphId}"; there are ${graphs?.ids.join(", ") || "none"}.`);
  return graphs.open(graphId);
}

/** The schema of a graph id. The project must have a graph with this id. */
export const GraphName = z
  .string()
  .min(1)
  .max(200)
  .superRefine((name, context) => {
    const ids = projectGraphIds();
    if (ids.includes(name)) return;
    context.addIssue({ code: "custom", message: `there is no graph "${name}"; there are ${ids.join(", ") || "none"}` });
  });
