import type { View } from "./gantt-view.ts";
import { type Domain, tickLabel, tickStep } from "./scale.ts";

interface Props {
  domain: Domain;
  msPerPx: number;
  nameWidth: number;
  view: View;
  /** Where the domain begins on the track, in pixels. */
  left: number;
}

/** The line of times above the rows. It stays when they scroll, and has only the ticks on the screen. */
export function Axis({ domain, msPerPx, nameWidth, view, left }: Props) {
  const step = tickStep(msPerPx, 76);
  const first = Math.max(domain.from, domain.from + (view.left - left) * msPerPx) - domain.zero;
  const last = Math.min(domain.to, domain.from + (view.left + view.width) * msPerPx) - domain.zero;
  const ticks: number[] = [];
  for (let tick = Math.ceil(first / step) * step; tick <= last; tick += step) ticks.push(tick);
  return (
    <div role="row" className="sticky top-0 z-20 flex h-8 border-b border-line bg-surface text-xs text-muted">
      <div
        role="columnheader"
        className="sticky left-0 z-10 flex items-center border-r border-line bg-surface pl-3 font-medium"
        style={{ width: nameWidth }}
      >
        Step
      </div>
      <div role="columnheader" aria-label="Time since the start" className="relative flex-1">
        {ticks.map((tick) => (
          <span
            key={tick}
            className="numbers absolute top-0 flex h-full items-center border-l border-line pl-1.5 whitespace-nowrap"
            style={{ left: left + (tick + domain.zero - domain.from) / msPerPx }}
          >
            {tickLabel(tick, step)}
          </span>
        ))}
      </div>
    </div>
  );
}
