import "uplot/dist/uPlot.min.css";
import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import { number } from "./format.ts";
import { useMedia } from "./media.ts";

export interface Series {
  label: string;
  values: number[];
  /** The name of a colour of the theme: "good", "bad", "accent", "muted" or "warn". */
  colour: string;
  isDashed?: boolean;
}

export interface ChartProps {
  /** The description of the chart for screen readers. */
  label: string;
  /** The times of the values, in seconds since 1970. */
  times: number[];
  series: Series[];
  height?: number;
}

const minute = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** Returns the current value of a theme colour, because a canvas cannot use CSS variables. */
function colourOf(element: HTMLElement, name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function optionsOf(place: HTMLElement, series: Series[], height: number, onPoint: (index: number | undefined) => void): uPlot.Options {
  const axis = {
    stroke: colourOf(place, "muted"),
    grid: { stroke: colourOf(place, "line"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui",
  };
  return {
    width: place.clientWidth,
    height,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: { y: { range: (_chart, _min, max) => [0, Math.max(4, max * 1.1)] } },
    axes: [
      { ...axis, size: 28, values: (_chart, times) => times.map((time) => minute.format(time * 1_000)) },
      { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000] },
    ],
    series: [
      {},
      ...series.map(({ label, colour, isDashed }) => ({
        label,
        stroke: colourOf(place, colour),
        width: 1.5,
        points: { show: false },
        ...(isDashed && { dash: [4, 4] }),
      })),
    ],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? undefined)] },
  };
}

/** Draws a chart with uPlot. The chart is drawn again when the colours or the width change. */
export default function UplotChart({ label, times, series, height = 200 }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const data = useRef({ times, series });
  data.current = { times, series };
  const [point, setPoint] = useState<number>();
  const isDark = useMedia("(prefers-color-scheme: dark)");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours change with the scheme
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const { times: first, series: given } = data.current;
    chart.current = new uPlot(optionsOf(element, given, height, setPoint), [first, ...given.map(({ values }) => values)], element);
    const observer = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.current?.destroy();
    };
  }, [height, isDark]);
  useEffect(() => chart.current?.setData([times, ...series.map(({ values }) => values)]), [times, series]);
  return (
    <figure>
      <Legend times={times} series={series} point={point} />
      <div ref={place} role="img" aria-label={label} />
    </figure>
  );
}

/**
 * The legend of a chart. It shows the value that each line has at the pointer. If the pointer is not on the chart, it shows the sum of each
 * line's values.
 */
function Legend({ times, series, point }: { times: number[]; series: Series[]; point: number | undefined }) {
  const time = point === undefined ? undefined : times[point];
  return (
    <figcaption className="mb-2 flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
      {series.map(({ label, values, colour, isDashed }) => (
        <span key={label} className="flex items-center gap-1.5">
          <span className={`w-4 border-t-2 ${isDashed ? "border-dashed" : ""}`} style={{ borderColor: `var(--${colour})` }} />
          {label}
          <span className="numbers font-medium text-text">
            {number(point === undefined ? values.reduce((total, value) => total + value, 0) : (values[point] ?? 0))}
          </span>
        </span>
      ))}
      <span className="numbers ml-auto">{time === undefined ? "in the last hour" : `at ${minute.format(time * 1_000)}`}</span>
    </figcaption>
  );
}
