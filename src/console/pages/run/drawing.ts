/**
 * The drawing of a graph with all of its subgraphs, as the API returns it. The id of a node in a subgraph begins with the ids of the nodes
 * around it, joined by colons.
 */
export interface Drawing {
  nodes: { id: string; type?: string }[];
  edges: { source: string; target: string; conditional?: boolean }[];
}

/** A node on the page: a node of the drawing, or a subgraph that is open or closed. */
export interface ShownNode {
  id: string;
  label: string;
  /** The id of the subgraph that contains this node. Undefined for a node of the outermost graph. */
  parent: string | undefined;
  kind: "start" | "end" | "node" | "closed" | "open";
}

export interface ShownEdge {
  id: string;
  source: string;
  target: string;
  isConditional: boolean;
}

const depthOf = (id: string) => id.split(":").length;
const groupOf = (id: string): string | undefined => (id.includes(":") ? id.slice(0, id.lastIndexOf(":")) : undefined);

/** Returns the ids of all subgraphs. */
export const groupsIn = ({ nodes }: Drawing): Set<string> => new Set(nodes.flatMap(({ id }) => ancestors(id)));

/** Returns the ids of the subgraphs that contain a node, the outermost one first. */
export const ancestors = (id: string): string[] => {
  const group = groupOf(id);
  return group === undefined ? [] : [...ancestors(group), group];
};

/** Returns the nodes and edges to show if only the subgraphs in `open` are open. A closed subgraph is shown as one node. */
export function shownPart(drawing: Drawing, open: ReadonlySet<string>): { nodes: ShownNode[]; edges: ShownEdge[] } {
  const groups = groupsIn(drawing);
  const shownAs = (id: string) => ancestors(id).find((group) => !open.has(group)) ?? id;
  const edges = new Map<string, ShownEdge>();
  for (const { source, target, conditional = false } of drawing.edges) {
    const [from, to] = [shownAs(source), shownAs(target)];
    const isInside = from === to && (source !== target || from !== source);
    if (isInside) continue;
    const id = `${from}→${to}`;
    edges.set(id, { id, source: from, target: to, isConditional: conditional && (edges.get(id)?.isConditional ?? true) });
  }
  const ids = new Set(drawing.nodes.flatMap(({ id }) => [...ancestors(id).filter((group) => isVisible(group, open)), shownAs(id)]));
  const linked = new Set([...edges.values()].flatMap(({ source, target }) => [source, target]));
  const nodes = [...ids]
    .filter((id) => linked.has(id) || groups.has(id) || !nameOf(id).startsWith("__")) // error handlers have no edges and are left out
    .sort((a, b) => depthOf(a) - depthOf(b))
    .map((id) => ({ id, label: nameOf(id), parent: groupOf(id), kind: kindOf(id, groups, open) }));
  return { nodes, edges: [...edges.values()] };
}

const isVisible = (id: string, open: ReadonlySet<string>) => ancestors(id).every((group) => open.has(group));

const nameOf = (id: string) => id.slice(id.lastIndexOf(":") + 1);

function kindOf(id: string, groups: Set<string>, open: ReadonlySet<string>): ShownNode["kind"] {
  if (groups.has(id)) return open.has(id) ? "open" : "closed";
  const name = nameOf(id);
  return name === "__start__" ? "start" : name === "__end__" ? "end" : "node";
}
