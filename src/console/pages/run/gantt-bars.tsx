import type { ReactNode } from "react";
import { Icon } from "../../parts/icons.tsx";
import { duration } from "../../parts/time.tsx";
import type { Run } from "./data.ts";
import { attemptLooks, kindLooks, outcomeLooks } from "./looks.ts";
import { workerName } from "./rows.ts";
import type { AttemptItem, Item } from "./spans.ts";

interface OnTrack {
  x: (time: number) => number;
  now: number;
  status: Run["status"];
}

/** The minimum width of a bar in pixels. A narrower bar could not be seen. */
const leastWidth = 3;

const place = (from: number, to: number) => ({ left: from, width: Math.max(leastWidth, to - from) });

export function SpanName({ item: { span } }: { item: Item }) {
  const { icon, text, label } = kindLooks[span.kind];
  return (
    <span className="flex min-w-0 items-center gap-1.5 text-sm" title={span.name}>
      <Icon name={icon} className={`size-3.5 ${text}`} />
      <span className="sr-only">{label}: </span>
      <span className="truncate">{span.name}</span>
    </span>
  );
}

/** The bar of a span, followed by its duration and its error. */
export function SpanBar({ item, x, now }: OnTrack & { item: Item }) {
  const { span, from, to } = item;
  const outcome = to === undefined ? "running" : span.outcome;
  const { bar = kindLooks[span.kind].bar, text, icon, label } = outcomeLooks[outcome];
  const end = Math.max(from, to ?? now);
  return (
    <>
      <span className={`absolute top-2 h-3 rounded-[3px] ${bar}`} style={place(x(from), x(end))} />
      <Behind left={Math.max(x(end), x(from) + leastWidth)} className={text}>
        {icon && <Icon name={icon} className={`size-3 ${outcome === "running" ? "animate-spin" : ""}`} />}
        {duration(end - from)}
        <span className="sr-only"> {label}</span>
      </Behind>
    </>
  );
}

function Behind({ left, className, children }: { left: number; className: string; children: ReactNode }) {
  return (
    <span className={`numbers absolute inset-y-0 flex items-center gap-1 pl-1.5 text-xs whitespace-nowrap ${className}`} style={{ left }}>
      {children}
    </span>
  );
}

export const looksOf = ({ attempt, from, to }: AttemptItem, status: Run["status"]) =>
  attemptLooks[attempt.outcome ?? (from !== undefined && to === undefined && status === "running" ? "running" : "unknown")];

export function AttemptName({ item, status }: { item: AttemptItem; status: Run["status"] }) {
  const { label, text } = looksOf(item, status);
  return (
    <span className="flex min-w-0 items-baseline gap-1.5 text-sm">
      <span className="font-medium whitespace-nowrap">Attempt {item.attempt.attempt}</span>
      <span className={`truncate text-xs ${text}`}>{label}</span>
    </span>
  );
}

/** The bar of an attempt with its worker. If the attempt was not recorded, a sentence takes the place of the bar. */
export function AttemptBar({ item, x, now, status }: OnTrack & { item: AttemptItem }) {
  const { from, to, attempt } = item;
  if (from === undefined)
    return (
      <span className="absolute inset-x-2.5 inset-y-1 flex items-center truncate rounded-[3px] border border-dashed border-line-strong px-2 text-xs text-muted">
        Nobody recorded this attempt. Its worker ran an older release.
      </span>
    );
  const end = to ?? (status === "running" ? now : from);
  const isShort = x(end) - x(from) < 140;
  const name = <span className="truncate text-xs text-muted">{workerName(attempt)}</span>;
  return (
    <>
      <span
        className="absolute inset-y-1 flex items-center overflow-hidden rounded-[3px] border border-line bg-sunken px-1.5"
        style={place(x(from), x(end))}
      >
        {!isShort && name}
      </span>
      <Behind left={x(end)} className="text-muted">
        {duration(end - from)}
        {isShort && name}
      </Behind>
    </>
  );
}

/** The bar for the time before a worker claimed the run. */
export function WaitingBar({ from, to, isCut, label }: { from: number; to: number; isCut: boolean; label: string }) {
  return (
    <>
      <span
        className={`absolute top-2 h-3 border border-dashed border-line-strong ${isCut ? "rounded-r-[3px] border-l-0" : "rounded-[3px]"}`}
        style={place(from, to)}
      />
      <Behind left={Math.max(to, from + leastWidth)} className="text-muted">
        {isCut ? `waited ${label}` : label}
      </Behind>
    </>
  );
}

/** A sentence that says how another worker continued the run, with a vertical line at that time. */
export function HandoverText({ at = 8, nameWidth, sentence }: { at: number | undefined; nameWidth: number; sentence: string }) {
  return (
    <span className="absolute inset-0 flex items-center bg-warn-soft">
      <span className="sticky truncate px-2.5 text-xs font-medium text-warn" style={{ left: nameWidth }} title={sentence}>
        {sentence}
      </span>
      <span aria-hidden="true" className="absolute inset-y-0 border-l-2 border-warn" style={{ left: at - 1 }} />
    </span>
  );
}
