import type { View } from "./gantt-view.ts";
import { type Domain, tickLabel, tickStep } from "./scale.ts";

interface Props {
  domain: Domain;
  msPerPx: number;
  nameWidth: number;
  view: View;
  /** The horizontal position at which the period of the chart begins, in pixels. */
  left: number;
}

/**
 * The time axis above the rows, with a thin vertical line at each tick. The axis stays in place when the rows scroll. Only ticks on the
 * screen are rendered.
 */
export function Axis({ domain, msPerPx, nameWidth, view, left }: Props) {
  const step = tickStep(msPerPx, 76);
  const first = Math.max(domain.from, domain.from + (view.left - left) * msPerPx) - domain.zero;
  const last = Math.min(domain.to, domain.from + (view.left + view.width) * msPerPx) - domain.zero;
  const ticks: { tick: number; x: number }[] = [];
  for (let tick = Math.ceil(first / step) * step; tick <= last; tick += step)
    ticks.push({ tick, x: left + (tick + domain.zero - domain.from) / msPerPx });
  return (
    <>
      <div aria-hidden="true" className="absolute inset-y-0 right-0" style={{ left: nameWidth }}>
        {ticks.map(({ tick, x }) => (
          <span key={tick} className="absolute inset-y-0 border-l border-line/60" style={{ left: x }} />
        ))}
      </div>
      <div role="row" className="sticky top-0 z-20 flex h-8 border-b border-line bg-surface text-xs text-muted">
        <div
          role="columnheader"
          className="sticky left-0 z-10 flex items-center border-r border-line bg-surface pl-3 font-medium"
          style={{ width: nameWidth }}
        >
          Step
        </div>
        <div role="columnheader" aria-label="Time since the start" className="relative flex-1">
          {ticks.map(({ tick, x }) => (
            <span
              key={tick}
              className="numbers absolute top-0 flex h-full items-center border-l border-line pl-1.5 whitespace-nowrap"
              style={{ left: x }}
            >
              {tickLabel(tick, step)}
            </span>
          ))}
        </div>
      </div>
    </>
  );
}
