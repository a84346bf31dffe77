import { Suspense } from "react";
import { lazily } from "../lazily.ts";
import type { ChartProps } from "./uplot-chart.tsx";

const Drawn = lazily(() => import("./uplot-chart.tsx"));

/** A chart of values over time, with its legend. Its code is loaded when it is first shown. */
export function Chart({ height = 200, ...props }: ChartProps) {
  return (
    <Suspense fallback={<div style={{ height: height + 24 }} />}>
      <Drawn height={height} {...props} />
    </Suspense>
  );
}
