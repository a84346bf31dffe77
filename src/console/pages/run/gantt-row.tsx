import type { ReactNode } from "react";
import { Icon } from "../../parts/icons.tsx";
import { duration } from "../../parts/time.tsx";
import type { Run } from "./data.ts";
import { AttemptBar, AttemptName, HandoverText, SpanBar, SpanName, WaitingBar } from "./gantt-bars.tsx";
import { handoverSentence, type Row } from "./rows.ts";
import type { Domain } from "./scale.ts";
import type { AttemptItem } from "./spans.ts";

export const rowHeight = 28;

interface Props {
  row: Row;
  index: number;
  /** The vertical position of the row in the chart, in pixels. */
  start: number;
  x: (time: number) => number;
  nameWidth: number;
  trackWidth: number;
  domain: Domain;
  trees: AttemptItem[];
  now: number;
  status: Run["status"];
  isClosed: boolean;
  isActive: boolean;
  isChosen: boolean;
  onToggle: () => void;
  onPoint: (at: { left: number; top: number; bottom: number } | undefined) => void;
  onFocus: () => void;
}

/** A row of the chart. Its name stays in place when the chart scrolls, and its bar scrolls with the time axis. */
export function GanttRow(props: Props) {
  const { row, index, start, nameWidth, trackWidth, isClosed, isActive, isChosen, onToggle, onPoint, onFocus } = props;
  const depth = row.kind === "span" ? row.item.depth + 1 : 0;
  const hasChildren = "hasChildren" in row && row.hasChildren;
  const point = (element: HTMLElement, pointer?: number) => {
    const { left, top, bottom } = element.getBoundingClientRect();
    onPoint({ left: pointer ?? left + 24, top, bottom });
  };
  return (
    <div
      role="row"
      data-row={index}
      aria-rowindex={index + 1}
      aria-level={depth + 1}
      {...(hasChildren && { "aria-expanded": !isClosed })}
      tabIndex={isActive ? 0 : -1}
      onFocus={(event) => {
        onFocus();
        if (event.currentTarget.matches(":focus-visible")) point(event.currentTarget);
      }}
      onBlur={() => onPoint(undefined)}
      onPointerMove={(event) => point(event.currentTarget, event.clientX)}
      onPointerLeave={() => onPoint(undefined)}
      className={`group absolute top-0 left-0 flex focus-visible:outline-none ${isChosen ? "bg-accent-soft" : ""}`}
      style={{ height: rowHeight, width: nameWidth + trackWidth, transform: `translateY(${start}px)` }}
    >
      <div
        role="gridcell"
        className={`sticky left-0 z-10 flex shrink-0 items-center border-r border-line pr-2 group-hover:bg-sunken group-focus-visible:bg-accent-soft ${isChosen ? "bg-accent-soft" : "bg-surface"} ${row.kind === "handover" ? "bg-warn-soft" : ""}`}
        style={{ width: nameWidth, paddingLeft: 8 + depth * 12 }}
      >
        {hasChildren ? (
          <button
            type="button"
            tabIndex={-1}
            aria-label={isClosed ? "Show what is inside" : "Hide what is inside"}
            onClick={onToggle}
            className="mr-0.5 inline-flex size-4 shrink-0 items-center justify-center rounded-sm text-muted hover:text-text"
          >
            <Icon name="chevron" className={`size-3 ${isClosed ? "" : "rotate-90"}`} />
          </button>
        ) : (
          <span className="mr-0.5 size-4 shrink-0" />
        )}
        <Name {...props} />
      </div>
      <div role="gridcell" className="relative flex-1 border-line group-hover:bg-sunken/60">
        <Bands {...props} />
        <Bar {...props} />
      </div>
    </div>
  );
}

function Name({ row, status }: Props): ReactNode {
  if (row.kind === "span") return <SpanName item={row.item} />;
  if (row.kind === "attempt") return <AttemptName item={row.item} status={status} />;
  if (row.kind === "waiting") return <IconName icon="queued">Waiting</IconName>;
  return <IconName icon="handover">{row.before.outcome === "released" ? "Returned" : "Takeover"}</IconName>;
}

function IconName({ icon, children }: { icon: "queued" | "handover"; children: ReactNode }) {
  return (
    <span className={`flex min-w-0 items-center gap-1.5 text-sm ${icon === "queued" ? "text-muted" : "font-medium text-warn"}`}>
      <Icon name={icon} className="size-3.5" />
      <span className="truncate">{children}</span>
    </span>
  );
}

function Bar({ row, x, now, status, domain, nameWidth }: Props): ReactNode {
  if (row.kind === "span") return <SpanBar {...{ x, now, status }} item={row.item} />;
  if (row.kind === "attempt") return <AttemptBar {...{ x, now, status }} item={row.item} />;
  if (row.kind === "handover")
    return <HandoverText nameWidth={nameWidth} at={row.at === undefined ? undefined : x(row.at)} sentence={handoverSentence(row)} />;
  const { from, to = now } = row;
  return <WaitingBar from={x(Math.max(from, domain.from))} to={x(to)} isCut={from < domain.from} label={duration(to - from)} />;
}

/**
 * The background of a row. A band marks the time of the attempt to which the row belongs, and a line marks the start of each later attempt.
 */
function Bands({ row, x, trees, now }: Props) {
  const attempt = row.kind === "span" ? trees.find(({ attempt: { attempt: number } }) => number === row.item.attempt) : undefined;
  return (
    <>
      {attempt?.from !== undefined && (
        <span aria-hidden="true" className="absolute inset-y-0 bg-sunken/70" style={span(x(attempt.from), x(attempt.to ?? now))} />
      )}
      {trees
        .slice(1)
        .map(({ from, attempt: { attempt: number } }) =>
          from === undefined ? null : (
            <span
              key={number}
              aria-hidden="true"
              className="absolute inset-y-0 border-l-2 border-dashed border-warn"
              style={{ left: x(from) - 1 }}
            />
          ),
        )}
    </>
  );
}

const span = (from: number, to: number) => ({ left: from, width: Math.max(0, to - from) });
