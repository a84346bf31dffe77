import { END, START } from "@langchain/langgraph";

/** The edges in LangGraph's graph builder (`graph.builder`). LangGraph's types hide them. */
interface Edges {
  edges: Set<[from: string, to: string]>;
  branches: Record<string, Record<string, { ends?: Record<string, string> }>>;
}

/**
 * Returns the nodes to which START leads (`to`), or the nodes that lead to END (`from`). These are the first or the last nodes of a graph.
 */
export function neighboursOf({ edges, branches }: Edges, side: "to" | "from"): Set<string> {
  const ways = Object.entries(branches).flatMap(([from, all]) =>
    Object.values(all).flatMap(({ ends = {} }) => Object.values(ends).map((to): [string, string] => [from, to])),
  );
  const all = [...edges, ...ways];
  return new Set(
    side === "to" ? all.filter(([from]) => from === START).map(([, to]) => to) : all.filter(([, to]) => to === END).map(([from]) => from),
  );
}
