import { Suspense } from "react";
import { lazily } from "../lazily.ts";

export interface Series {
  label: string;
  values: number[];
  /** A colour of the theme: "good", "bad", "accent", "muted" or "warn". */
  colour: string;
  isDashed?: boolean;
}

export interface ChartProps {
  /** The sentence that screen readers read in place of the chart. */
  label: string;
  /** Seconds since 1970. */
  times: number[];
  series: Series[];
  height?: number;
}

const Drawn = lazily(() => import("./uplot-chart.tsx"));

/** A chart of values over time, with its legend. It loads when it is first shown. */
export function Chart({ height = 200, ...props }: ChartProps) {
  return (
    <Suspense fallback={<div style={{ height: height + 24 }} />}>
      <Drawn height={height} {...props} />
    </Suspense>
  );
}
