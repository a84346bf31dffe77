import "@xyflow/react/dist/base.css";
import {
  BaseEdge,
  type Edge,
  type EdgeProps,
  Handle,
  MarkerType,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  type Viewport,
} from "@xyflow/react";
import { useEffect, useMemo } from "react";
import { IconButton } from "../../parts/button.tsx";
import { Icon } from "../../parts/icons.tsx";
import { type Drawing, shownPart } from "./drawing.ts";
import { type Drawn as DrawnEdge, type Layout, type Placed, placed } from "./layout.ts";
import { factsLine, nodeLooks, toldState } from "./node-looks.ts";
import { type NodeFacts, nothing } from "./node-states.ts";

export interface FlowProps {
  drawing: Drawing;
  facts: Map<string, NodeFacts>;
  open: ReadonlySet<string>;
  onToggle: (id: string) => void;
  chosen: string | undefined;
  onChoose: (id: string | undefined) => void;
  room: { width: number; height: number };
}

/** Draws a graph. The colour of each node shows its state in the run. */
export default function Flow(props: FlowProps) {
  return (
    <ReactFlowProvider>
      <Drawn {...props} />
    </ReactFlowProvider>
  );
}

function Drawn({ drawing, facts, open, onToggle, chosen, onChoose, room }: FlowProps) {
  const part = useMemo(() => shownPart(drawing, open), [drawing, open]);
  const layout = useMemo(() => placed(part.nodes, part.edges, room), [part, room]);
  const nodes = layout.nodes.map((node) => toFlowNode(node, layout, facts, onToggle, chosen));
  const edges = useMemo(() => layout.edges.map(toFlowEdge), [layout]);
  const flow = useReactFlow();
  const fit = () => void flow.setViewport(fitting(layout, room));
  useEffect(() => void flow.setViewport(fitting(layout, room)), [flow, layout, room]);
  return (
    <>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={false}
        elementsSelectable
        zoomOnScroll={false}
        zoomOnDoubleClick={false}
        preventScrolling={false}
        minZoom={0.15}
        maxZoom={1.6}
        defaultViewport={fitting(layout, room)}
        proOptions={{ hideAttribution: true }}
        aria-label="The graph"
        onNodeClick={(_, { id, type }) => onChoose(type === "point" || id === chosen ? undefined : id)}
        onPaneClick={() => onChoose(undefined)}
      />
      <div className="absolute right-1.5 bottom-1.5 flex flex-col rounded-md border border-line bg-surface">
        <IconButton icon="plus" label="Enlarge the drawing" onClick={() => void flow.zoomIn()} />
        <IconButton icon="minus" label="Reduce the drawing" onClick={() => void flow.zoomOut()} />
        <IconButton icon="fit" label="Fit the drawing" onClick={fit} />
      </div>
    </>
  );
}

const margin = 12;
/**
 * The smallest scale of the drawing. Below this scale, text cannot be read. A drawing that does not fit is shown from its top, and can be
 * moved.
 */
const leastScale = 0.45;

/** Returns the viewport that shows the whole drawing. If the drawing is too large, returns the viewport that shows its top. */
function fitting({ width, height }: Layout, room: FlowProps["room"]): Viewport {
  const [across, down] = [room.width - 2 * margin, room.height - 2 * margin];
  const zoom = Math.max(leastScale, Math.min(1, across / width, down / height));
  const centred = (free: number, size: number) => Math.max(margin, margin + (free - size * zoom) / 2);
  return { x: width * zoom > across ? margin + (across - width * zoom) / 2 : centred(across, width), y: centred(down, height), zoom };
}

interface Data extends Record<string, unknown> {
  node: Placed;
  facts: NodeFacts;
  direction: Layout["direction"];
  isChosen: boolean;
  onToggle: (id: string) => void;
}

type FlowNode = Node<Data>;

function toFlowNode(
  node: Placed,
  { direction }: Layout,
  facts: Map<string, NodeFacts>,
  onToggle: (id: string) => void,
  chosen: string | undefined,
): FlowNode {
  const type = node.kind === "start" || node.kind === "end" ? "point" : node.kind === "open" ? "frame" : "step";
  const own = facts.get(node.id) ?? nothing;
  return {
    id: node.id,
    type,
    position: { x: node.x, y: node.y },
    width: node.width,
    height: node.height,
    ...(node.parent !== undefined && { parentId: node.parent }),
    focusable: type !== "point",
    selectable: type !== "point",
    ariaLabel: `${node.label}: ${toldState(own)}`,
    data: { node, facts: own, direction, isChosen: chosen === node.id, onToggle },
  };
}

const toFlowEdge = ({ id, source, target, path, isConditional }: DrawnEdge): Edge => ({
  id,
  source,
  target,
  type: "along",
  focusable: false,
  selectable: false,
  data: { path },
  markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16, color: "var(--line-strong)" },
  style: { stroke: "var(--line-strong)", strokeWidth: 1.25, ...(isConditional && { strokeDasharray: "4 4" }) },
});

/** An edge of the drawing. It follows the path that the layout has computed, because this path leads around other nodes. */
function Along({ id, data, markerEnd, style }: EdgeProps<Edge<{ path: string }>>) {
  return <BaseEdge id={id} path={data?.path ?? ""} {...(markerEnd && { markerEnd })} {...(style && { style })} />;
}

const edgeTypes = { along: Along };
const nodeTypes = { step: Step, frame: Frame, point: Point };

function Handles({ direction }: Pick<Data, "direction">) {
  const [into, out] = direction === "TB" ? [Position.Top, Position.Bottom] : [Position.Left, Position.Right];
  return (
    <>
      <Handle type="target" position={into} isConnectable={false} className="invisible" />
      <Handle type="source" position={out} isConnectable={false} className="invisible" />
    </>
  );
}

function Step({ data: { node, facts, direction, isChosen, onToggle } }: NodeProps<FlowNode>) {
  const { box, text, icon } = nodeLooks[facts.state];
  return (
    <div
      className={`flex h-full items-center gap-2 rounded-lg border px-2.5 text-left ${box} ${isChosen ? "ring-2 ring-accent" : ""}`}
      title={`${node.label}: ${toldState(facts)}`}
    >
      <Handles direction={direction} />
      <Icon name={icon} className={`size-3.5 ${text} ${facts.state === "running" ? "animate-spin [animation-duration:1.6s]" : ""}`} />
      <span className="min-w-0 flex-1">
        <span className="block truncate text-sm leading-4.5 font-medium">{node.label}</span>
        <span className={`numbers block truncate text-xs leading-4 ${facts.state === "none" ? "text-muted" : text}`}>
          {factsLine(facts)}
        </span>
      </span>
      {node.kind === "closed" && (
        <IconButton icon="plus" label={`Open ${node.label}`} className="nodrag -mr-1.5" onClick={toggle(onToggle, node.id)} />
      )}
    </div>
  );
}

/** An open subgraph: a frame with a title, which encloses the nodes of the subgraph. */
function Frame({ data: { node, facts, onToggle, isChosen } }: NodeProps<FlowNode>) {
  const { text, icon } = nodeLooks[facts.state];
  return (
    <div className={`h-full rounded-lg border border-line-strong/60 bg-sunken/50 ${isChosen ? "ring-2 ring-accent" : ""}`}>
      <div className="flex h-8 items-center gap-1.5 pr-1 pl-2.5 text-sm">
        <Icon name={icon} className={`size-3.5 ${text}`} />
        <span className="min-w-0 truncate font-medium">{node.label}</span>
        <span className="numbers truncate text-xs text-muted">{factsLine(facts)}</span>
        <IconButton icon="minus" label={`Close ${node.label}`} className="nodrag ml-auto" onClick={toggle(onToggle, node.id)} />
      </div>
    </div>
  );
}

function Point({ data: { node, direction } }: NodeProps<FlowNode>) {
  return (
    <div className="flex h-full items-center justify-center rounded-full border border-line bg-surface text-xs text-muted">
      <Handles direction={direction} />
      {node.kind}
    </div>
  );
}

const toggle = (onToggle: (id: string) => void, id: string) => (event: React.MouseEvent) => {
  event.stopPropagation();
  onToggle(id);
};
