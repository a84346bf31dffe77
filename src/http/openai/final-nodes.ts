import type { RunnableConfig } from "@langchain/core/runnables";
import type { Registry } from "../../registry/registry.ts";

/**
 * Tells whether a node can be the last node of a run. `path` ends with the name of the node. The names before it are those of the nodes
 * whose subgraphs contain this node.
 */
export type IsFinal = (path: string[]) => boolean;

const isEnd = (id: string) => id === "__end__" || id.endsWith(":__end__");

/**
 * Returns a function that tells which nodes of a graph can be its last. Only the tokens of these nodes may be streamed to a client of
 * OpenAI's API, because other nodes seldom write the answer. If this process does not have the graph, the function always returns false.
 */
export async function finalNodes(registry: Registry, graphId: string): Promise<IsFinal> {
  if (!registry.has(graphId)) return () => false;
  const graph = await registry.open(graphId, { config: { configurable: {} } });
  const { nodes, edges } = await graph.getGraphAsync({ xray: true } as RunnableConfig);
  const targets = Map.groupBy(edges, ({ source }) => source);
  const endsRun = (id: string): boolean =>
    id === "__end__" || (targets.get(id) ?? []).some(({ target }) => isEnd(target) && endsRun(target));
  // A node without edges chooses its successors at run time, so it may also be the last.
  const last = new Set(Object.keys(nodes).filter((id) => !isEnd(id) && (endsRun(id) || !targets.has(id))));
  return (path) => last.has(path.join(":"));
}
