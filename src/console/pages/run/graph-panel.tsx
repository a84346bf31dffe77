import { lazy, Suspense, useEffect, useMemo, useRef, useState } from "react";
import { ApiFailure, answerOf, api } from "../../api.ts";
import { useLive } from "../../live.ts";
import { Button } from "../../parts/button.tsx";
import { Failure, Skeleton } from "../../parts/states.tsx";
import { type Drawing, groupsIn } from "./drawing.ts";
import { NodeList } from "./node-list.tsx";
import type { NodeFacts } from "./node-states.ts";
import { Panel } from "./panel.tsx";

const Flow = lazy(() => import("./flow.tsx"));

interface Props {
  assistantId: string;
  facts: Map<string, NodeFacts>;
  chosen: string | undefined;
  onChoose: (id: string | undefined) => void;
}

/** The graph of the run, as a drawing or as a list. The drawing library is loaded when it is first needed. */
export function GraphPanel({ assistantId, facts, chosen, onChoose }: Props) {
  const [asList, setAsList] = useState(false);
  const { data, error, refetch } = useLive(["drawing", assistantId], (signal) => readDrawing(assistantId, signal), { every: 3_600_000 });
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const hasSubgraphs = data && groupsIn(data).size > 0;
  const canDraw = data !== undefined && data.nodes.length > 0;
  const toggle = (id: string) =>
    setOpen((before) => (before.has(id) ? new Set([...before].filter((one) => one !== id)) : new Set([...before, id])));
  return (
    <Panel
      title="Graph"
      actions={
        canDraw && (
          <>
            {hasSubgraphs && !asList && (
              <Button kind="quiet" className="h-7 px-2" onClick={() => setOpen(open.size > 0 ? new Set() : groupsIn(data))}>
                {open.size > 0 ? "Close subgraphs" : "Open subgraphs"}
              </Button>
            )}
            <Button kind="quiet" className="h-7 px-2" aria-pressed={asList} onClick={() => setAsList(!asList)}>
              {asList ? "Show as drawing" : "Show as list"}
            </Button>
          </>
        )
      }
    >
      {error && !data && <NoDrawing error={error} facts={facts} retry={() => void refetch()} />}
      {!error && !data && <Skeleton lines={6} className="p-4" />}
      {data && asList && <NodeList drawing={data} facts={facts} />}
      {data && !asList && <Room>{(room) => <Flow {...{ drawing: data, facts, open, chosen, onChoose, room }} onToggle={toggle} />}</Room>}
    </Panel>
  );
}

async function readDrawing(assistantId: string, signal: AbortSignal): Promise<Drawing> {
  const params = { path: { assistantId }, query: { xray: true } };
  return (await answerOf(api.GET("/assistants/{assistantId}/graph", { params, signal }))) as unknown as Drawing;
}

/** Measures the space for the drawing, and passes its size to the children. */
function Room({ children }: { children: (room: { width: number; height: number }) => React.ReactNode }) {
  const element = useRef<HTMLDivElement>(null);
  const [{ width, height }, setSize] = useState({ width: 0, height: 0 });
  const room = useMemo(() => ({ width, height }), [width, height]);
  useEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(
      ([entry]) => entry && setSize({ width: entry.contentRect.width, height: entry.contentRect.height }),
    );
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={element} className="relative min-h-0 flex-1">
      {width > 0 && <Suspense fallback={<Skeleton lines={6} className="p-4" />}>{children(room)}</Suspense>}
    </div>
  );
}

/** Lists the nodes that the run has reached. Shown if the graph cannot be drawn. */
function NoDrawing({ error, facts, retry }: { error: unknown; facts: Map<string, NodeFacts>; retry: () => void }) {
  if (!(error instanceof ApiFailure) || error.status !== 404)
    return <Failure what="The graph could not be drawn" error={error} retry={retry} />;
  return (
    <>
      <p className="px-3 py-2.5 text-sm text-muted">The graph cannot be drawn: {error.message} These nodes were reached:</p>
      <NodeList facts={facts} />
    </>
  );
}
