import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import { IconButton } from "../../parts/button.tsx";
import { plural } from "../../parts/format.ts";
import { useIsWide } from "../../parts/media.ts";
import { useNow } from "../../parts/time.tsx";
import type { Timeline } from "./data.ts";
import { Axis } from "./gantt-axis.tsx";
import { Details, type Pointed } from "./gantt-details.tsx";
import { useRowKeys } from "./gantt-keys.ts";
import { GanttRow, rowHeight } from "./gantt-row.tsx";
import { useKeptCentre, useView } from "./gantt-view.ts";
import { Panel } from "./panel.tsx";
import { type Row, rowsOf } from "./rows.ts";
import { domainOf } from "./scale.ts";
import type { AttemptItem, Item } from "./spans.ts";

/** Space at both ends of the track, in pixels. The duration of the last bar is written in the space at the right. */
const padding = { left: 10, right: 76 };
const axisHeight = 32;
const leastTrack = 180;
const mostZoom = 4_096;

interface Props {
  timeline: Timeline;
  trees: AttemptItem[];
  running: Item[];
  /** The milliseconds by which the service's clock is ahead of this browser's clock. */
  aheadMs: number;
  /** The path of the node that is selected in the graph. The rows of this node are highlighted. */
  chosen: string | undefined;
}

/** A chart of a run over time. It has a row for each attempt, and below the attempt a row for each node, model call and tool call. */
export function Gantt({ timeline, trees, running, aheadMs, chosen }: Props) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [zoom, setZoom] = useState(1);
  const rows = useMemo(() => rowsOf({ timeline, trees, running, closed }), [timeline, trees, running, closed]);
  const spans = trees.reduce((sum, { attempt }) => sum + attempt.spans.length, 0);
  const toggle = (key: string) => setClosed((before) => toggled(before, key));
  return (
    <Panel title="Timeline" aside={spans > 0 ? plural(spans, "span") : undefined} actions={<ZoomButtons {...{ zoom, setZoom }} />}>
      <Chart {...{ rows, closed, toggle, zoom, timeline, trees, aheadMs, chosen }} />
    </Panel>
  );
}

function toggled(before: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const after = new Set(before);
  if (!after.delete(key)) after.add(key);
  return after;
}

function ZoomButtons({ zoom, setZoom }: { zoom: number; setZoom: (zoom: number) => void }) {
  return (
    <>
      <IconButton icon="minus" label="Zoom out" disabled={zoom <= 1} onClick={() => setZoom(Math.max(1, zoom / 2))} />
      <IconButton icon="plus" label="Zoom in" disabled={zoom >= mostZoom} onClick={() => setZoom(Math.min(mostZoom, zoom * 2))} />
      <IconButton icon="fit" label="Fit the whole run" disabled={zoom === 1} onClick={() => setZoom(1)} />
    </>
  );
}

interface ChartProps extends Omit<Props, "running"> {
  rows: Row[];
  closed: ReadonlySet<string>;
  toggle: (key: string) => void;
  zoom: number;
}

function Chart({ rows, closed, toggle, zoom, timeline, trees, aheadMs, chosen }: ChartProps) {
  const [pointed, setPointed] = useState<Pointed>();
  const scroller = useRef<HTMLDivElement>(null);
  const { domain, now } = useDomain(rows, timeline, aheadMs);
  const { view, nameWidth, trackWidth } = useSizes(scroller, zoom);
  const msPerPx = (domain.to - domain.from) / (trackWidth - padding.left - padding.right);
  const x = (time: number) => padding.left + (time - domain.from) / msPerPx;
  const list = useVirtualizer({
    count: rows.length,
    estimateSize: () => rowHeight,
    getScrollElement: () => scroller.current,
    overscan: 10,
    paddingStart: axisHeight,
    scrollPaddingStart: axisHeight,
    getItemKey: (index) => rows[index]?.key ?? index,
  });
  const { current, setActive, onKeyDown } = useRowKeys({ rows, closed, toggle, list, scroller });
  const isChosen = (row: Row) => row.kind === "span" && row.item.path === chosen;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another choice scrolls
  useEffect(() => {
    const index = rows.findIndex(isChosen);
    if (index >= 0) list.scrollToIndex(index, { align: "center" });
  }, [chosen]);
  return (
    <>
      <div
        ref={scroller}
        role="treegrid"
        aria-label="Timeline of the run"
        aria-rowcount={rows.length}
        aria-readonly="true"
        tabIndex={-1}
        onKeyDown={(event) => (event.key === "Escape" ? setPointed(undefined) : onKeyDown(event))}
        onScroll={() => setPointed(undefined)}
        className="min-h-0 flex-1 overflow-auto overscroll-x-contain outline-none"
      >
        <div className="relative min-h-full" style={{ width: nameWidth + trackWidth, height: list.getTotalSize() }} role="rowgroup">
          <Axis {...{ domain, msPerPx, nameWidth, view }} left={padding.left} />
          {list.getVirtualItems().map(({ index, key, start }) => {
            const row = rows[index];
            return (
              row && (
                <GanttRow
                  key={key}
                  {...{ row, index, start, x, nameWidth, trackWidth, domain, trees, now }}
                  status={timeline.status}
                  isClosed={closed.has(row.key)}
                  isActive={index === current}
                  isChosen={isChosen(row)}
                  onToggle={() => toggle(row.key)}
                  onPoint={(at) => setPointed(at && { row, ...at })}
                  onFocus={() => setActive(index)}
                />
              )
            );
          })}
        </div>
      </div>
      {pointed && <Details {...pointed} zero={domain.zero} />}
    </>
  );
}

/** Returns the period that the chart covers. The period grows while the run is open. */
function useDomain(rows: Row[], { ended_at }: Timeline, aheadMs: number) {
  const present = useNow();
  const until = ended_at === null ? Math.max(present, Date.now()) + aheadMs : 0;
  const domain = useMemo(() => domainOf(rows, until), [rows, until]);
  return { domain, now: until || domain.to };
}

function useSizes(scroller: React.RefObject<HTMLDivElement | null>, zoom: number) {
  const view = useView(scroller);
  const nameWidth = useIsWide() ? 232 : 138;
  const trackWidth = Math.max(leastTrack, view.width - nameWidth) * zoom;
  useKeptCentre(scroller, zoom, nameWidth);
  return { view, nameWidth, trackWidth };
}
