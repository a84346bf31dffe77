import { graphlib, layout } from "@dagrejs/dagre";
import type { ShownEdge, ShownNode } from "./drawing.ts";

/** A node with its size and its position. The position is relative to the subgraph that contains the node. */
export interface Placed extends ShownNode {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** An edge with the path of its line, as SVG path data. */
export interface Drawn extends ShownEdge {
  path: string;
}

export interface Layout {
  nodes: Placed[];
  edges: Drawn[];
  width: number;
  height: number;
  direction: "TB" | "LR";
}

const sizes = { start: { width: 56, height: 24 }, end: { width: 56, height: 24 }, node: { width: 174, height: 42 } };
/** The height of the title of an open subgraph, in pixels. */
const titleHeight = 34;

/** Computes the layout that shows the nodes as large as possible in the given room. */
export function placed(nodes: ShownNode[], edges: ShownEdge[], room: { width: number; height: number }): Layout {
  const scale = ({ width, height }: Layout) => Math.min(1, room.width / width, room.height / height);
  const [down, right] = [place(nodes, edges, "TB"), place(nodes, edges, "LR")];
  return scale(right) > scale(down) * 1.15 ? right : down;
}

function place(nodes: ShownNode[], edges: ShownEdge[], direction: "TB" | "LR"): Layout {
  const graph = arranged(nodes, edges, direction);
  const { width = 1, height = 1 } = graph.graph();
  const flat = new Map(nodes.map(({ id }) => [id, boxOf(graph.node(id))]));
  const tops = nodes.flatMap(({ id, kind }) => (kind === "open" ? [flat.get(id)?.y ?? 0] : []));
  const lowered = (y: number) => y + titleHeight * tops.filter((top) => top < y - 0.5).length;
  const boxes = new Map(nodes.map(({ id, kind }) => [id, withRoom(flat.get(id) ?? boxOf({}), kind === "open", lowered)]));
  return {
    nodes: nodes.map((node) => {
      const box = boxes.get(node.id) ?? boxOf({});
      const around = node.parent === undefined ? undefined : boxes.get(node.parent);
      return { ...node, ...box, x: box.x - (around?.x ?? 0), y: box.y - (around?.y ?? 0) };
    }),
    edges: edges.map((edge) => {
      if (edge.source === edge.target) return { ...edge, path: loopAt(boxes.get(edge.source) ?? boxOf({})) };
      const points: Point[] = graph.edge(edge.source, edge.target).points ?? [];
      return { ...edge, path: smooth(points.map(({ x, y }) => ({ x, y: lowered(y) }))) };
    }),
    width,
    height: height + titleHeight * tops.length,
    direction,
  };
}

function arranged(nodes: ShownNode[], edges: ShownEdge[], direction: "TB" | "LR") {
  const graph = new graphlib.Graph({ compound: true, multigraph: false });
  graph.setGraph({ rankdir: direction, nodesep: 24, edgesep: 14, ranksep: direction === "TB" ? 26 : 40, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, kind } of nodes) graph.setNode(id, kind === "open" ? {} : { ...(kind === "closed" ? sizes.node : sizes[kind]) });
  for (const { id, parent } of nodes) if (parent !== undefined) graph.setParent(id, parent);
  for (const { source, target } of edges) graph.setEdge(source, target);
  layout(graph);
  return graph;
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Returns the box of a node. Converts the position from the centre of the node, as the layout library gives it, to the top left corner. */
const boxOf = ({ x = 0, y = 0, width = 0, height = 0 }: Partial<Box>): Box => ({ x: x - width / 2, y: y - height / 2, width, height });

/**
 * Moves a box down to make room for the titles of the open subgraphs above it. Makes the box of an open subgraph taller. The layout library
 * itself reserves no room for titles.
 */
function withRoom({ x, y, width, height }: Box, isOpen: boolean, lowered: (y: number) => number): Box {
  const top = lowered(y);
  return { x, y: top, width, height: isOpen ? lowered(y + height) - top : height };
}

interface Point {
  x: number;
  y: number;
}

/** Returns the path of an edge from a node to itself, on the right side of the node's box. */
function loopAt({ x, y, width, height }: Box): string {
  const right = x + width;
  const [leave, back] = [y + height * 0.3, y + height * 0.7];
  return `M${text({ x: right, y: leave })} C${text({ x: right + loopWidth, y: leave - 8 })} ${text({ x: right + loopWidth, y: back + 8 })} ${text({ x: right, y: back })}`;
}

/** The width in pixels that the layout reserves beside a node for an edge to itself. */
const loopWidth = 30;

/** Returns a path without corners that passes near the given points. */
function smooth(points: Point[]): string {
  const [first, ...rest] = points;
  const last = rest.pop();
  if (!first || !last) return "";
  const middles = rest.map((point, index) => ({ point, middle: between(point, rest[index + 1] ?? last) }));
  const curves = middles.map(({ point, middle }, index) => {
    const end = index === middles.length - 1 ? last : middle;
    return `Q${text(point)} ${text(end)}`;
  });
  return [`M${text(first)}`, ...(curves.length > 0 ? curves : [`L${text(last)}`])].join(" ");
}

const between = (a: Point, b: Point): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
const text = ({ x, y }: Point) => `${x.toFixed(1)},${y.toFixed(1)}`;
