import { DataTable } from "../../../parts/data-table.tsx";
import { number } from "../../../parts/format.ts";
import { Icon } from "../../../parts/icons.tsx";
import { Section } from "../../../parts/page.tsx";
import { Tag } from "../../../parts/status.tsx";
import { duration } from "../../../parts/time.tsx";
import { type Report, type ReportRow, round } from "./report.ts";

interface Metric {
  title: string;
  note: string;
  value: (row: ReportRow) => number | null;
  text: (value: number) => string;
}

const metrics: Metric[] = [
  {
    title: "Time per item",
    note: "shorter is better",
    value: ({ msPerItem }) => msPerItem,
    text: (ms) => (ms < 10 ? `${ms.toFixed(2)} ms` : duration(ms)),
  },
  { title: "Quality", note: "longer is better", value: ({ quality }) => quality, text: (quality) => quality.toFixed(2) },
  { title: "Total time", note: "waiting included", value: ({ elapsedMs }) => elapsedMs, text: duration },
  { title: "Items", note: "that were processed", value: ({ items }) => items, text: number },
  { title: "Failed items", note: "shorter is better", value: ({ failedItems }) => failedItems, text: number },
  { title: "Cost of models", note: "shorter is better", value: ({ dollars }) => dollars, text: (amount) => `$${amount.toFixed(4)}` },
];

/** The results of all scenarios: a small chart for each figure, then the recommendation and its reasons. */
export function Comparison({ report }: { report: Report }) {
  const { rows, scaling, measures, note, gaps, recommendation } = report;
  const told = metrics.filter(({ value }) => rows.some((row) => (value(row) ?? 0) > 0));
  return (
    <Section title="Comparison" actions={scaling && <Scaling {...scaling} />}>
      <div className="space-y-4">
        {recommendation && <Recommended {...recommendation} />}
        <div className="grid gap-px overflow-hidden rounded-lg border border-line bg-line md:grid-cols-2">
          {told.map((metric) => (
            <MetricBars key={metric.title} metric={metric} rows={rows} best={recommendation?.label} />
          ))}
          {told.length % 2 === 1 && <div className="bg-surface max-md:hidden" />}
        </div>
        {note && <p className="text-sm text-muted">{note}</p>}
        {measures.length > 0 && <Measures measures={measures} />}
        {gaps.length > 0 && (
          <p className="flex items-start gap-2 text-sm text-warn">
            <Icon name="warning" className="mt-0.5" />
            {gaps.join("; ")}
          </p>
        )}
      </div>
    </Section>
  );
}

const Scaling = ({ class: kind, ratio, from, to }: NonNullable<Report["scaling"]>) => (
  <span className="text-sm text-muted">
    Scaling <span className="font-medium text-text">{kind}</span>
    {ratio !== null && (
      <span className="numbers">
        , time per item {to} / {from} {round(ratio)}
      </span>
    )}
  </span>
);

function MetricBars({ metric, rows, best }: { metric: Metric; rows: ReportRow[]; best: string | undefined }) {
  const { title, note, value, text } = metric;
  const most = Math.max(...rows.map((row) => value(row) ?? 0), Number.MIN_VALUE);
  return (
    <figure className="bg-surface px-4 py-3">
      <figcaption className="mb-2 flex items-baseline gap-2 text-sm">
        <span className="font-medium">{title}</span>
        <span className="text-xs text-muted">{note}</span>
      </figcaption>
      <ul className="space-y-1.5">
        {rows.map((row) => {
          const amount = value(row);
          return (
            <li key={row.label} className="grid grid-cols-[6rem_1fr_4.5rem] items-center gap-2 text-xs">
              <span className={`truncate ${row.label === best ? "font-medium" : "text-muted"}`} title={row.label}>
                {row.label}
              </span>
              <span className="h-3 rounded-sm bg-sunken">
                <span
                  className={`block h-full min-w-px rounded-sm ${row.label === best ? "bg-accent" : "bg-line-strong"}`}
                  style={{ width: `${(100 * (amount ?? 0)) / most}%` }}
                />
              </span>
              <span className="numbers text-right whitespace-nowrap">{amount === null ? "–" : text(amount)}</span>
            </li>
          );
        })}
      </ul>
    </figure>
  );
}

function Recommended({ label, reasons, figures, actions }: NonNullable<Report["recommendation"]>) {
  return (
    <div className="rounded-lg border border-line bg-surface px-4 py-3">
      <p className="flex flex-wrap items-baseline gap-x-2">
        {label === undefined ? (
          <span className="font-medium">None of them is good enough for production.</span>
        ) : (
          <>
            <Tag tone="good" icon="check">
              Recommended
            </Tag>
            <span className="font-medium">{label}</span>
          </>
        )}
        <span className="numbers text-sm text-muted">{figures.join(", ")}</span>
      </p>
      <ul className="mt-2 list-disc space-y-0.5 pl-5 text-sm text-muted">
        {reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
      {actions.length > 0 && (
        <ol className="mt-2 list-decimal space-y-0.5 pl-5 text-sm">
          {actions.map((action) => (
            <li key={action}>{action}</li>
          ))}
        </ol>
      )}
    </div>
  );
}

const figure = (value: number | null) => (value === null ? "–" : value.toFixed(2));

const Measures = ({ measures }: { measures: Report["measures"] }) => (
  <DataTable
    label="Measures"
    rows={measures}
    keyOf={({ name }) => name}
    columns={[
      { title: "Measure", cell: ({ name }) => name },
      { title: "Value", cell: ({ value }) => figure(value), isNumber: true },
      { title: "Threshold", cell: ({ threshold }) => figure(threshold), isNumber: true },
      { title: "Verdict", cell: ({ verdict }) => verdict || "–" },
    ]}
  />
);
