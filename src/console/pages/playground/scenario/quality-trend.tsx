import type { Level } from "./scenario.ts";
import { lookOf, Sample } from "./series.tsx";

const [width, height] = [400, 132];

/** A chart of each scenario's quality over its progress, with a point for each batch. */
export function QualityTrend({ levels }: { levels: Level[] }) {
  const lowest = Math.min(1, ...levels.flatMap(({ trend }) => trend.map(({ quality }) => quality)));
  const floor = Math.min(0.8, Math.floor(lowest * 10) / 10);
  const top = Math.max(1, ...levels.flatMap(({ trend }) => trend.map(({ quality }) => quality)));
  const y = (quality: number) => height - ((quality - floor) / (top - floor || 1)) * height;
  const lines = [top, (top + floor) / 2, floor];
  const label = levels.map(({ name, quality }) => `${name} ${quality === null ? "unknown" : quality.toFixed(2)}`).join(", ");
  return (
    <figure className="min-h-54 rounded-lg border border-line bg-surface p-4">
      <figcaption className="mb-3 flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
        {levels.map(({ name, quality }, index) => (
          <span key={name} className="flex items-center gap-1.5">
            <Sample index={index} />
            {name} <span className="numbers font-medium text-text">{quality === null ? "–" : quality.toFixed(2)}</span>
          </span>
        ))}
      </figcaption>
      <div className="pl-9">
        <div className="relative">
          {lines.map((line) => (
            <span
              key={line}
              className="numbers absolute -left-9 -translate-y-1/2 text-xs leading-none text-muted"
              style={{ top: `${(100 * y(line)) / height}%` }}
            >
              {line.toFixed(2)}
            </span>
          ))}
          <svg
            role="img"
            aria-label={`Quality by progress. Now: ${label}.`}
            viewBox={`0 0 ${width} ${height}`}
            preserveAspectRatio="none"
            className="block h-28 w-full overflow-visible"
          >
            {lines.map((line) => (
              <line key={line} x1="0" x2={width} y1={y(line)} y2={y(line)} stroke="var(--line)" vectorEffect="non-scaling-stroke" />
            ))}
            {levels.map(({ name, trend }, index) => {
              const { colour, dash } = lookOf(index);
              const points = trend.map(({ percent, quality }) => `${(percent / 100) * width},${y(quality)}`);
              return (
                <polyline
                  key={name}
                  points={points.join(" ")}
                  fill="none"
                  stroke={colour}
                  strokeWidth="2"
                  vectorEffect="non-scaling-stroke"
                  {...(dash && { strokeDasharray: dash })}
                />
              );
            })}
          </svg>
        </div>
        <div className="numbers mt-2.5 flex justify-between text-xs leading-none text-muted">
          <span>0 %</span>
          <span>50 %</span>
          <span>100 % of the items</span>
        </div>
      </div>
    </figure>
  );
}
