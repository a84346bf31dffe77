import { isObject } from "../../../parts/json-schema.ts";

export interface ReportRow {
  label: string;
  status: string;
  items: number | null;
  elapsedMs: number | null;
  msPerItem: number | null;
  quality: number | null;
  failedItems: number | null;
  dollars: number | null;
}

export interface Report {
  rows: ReportRow[];
  scaling: { class: string; ratio: number | null; from: string; to: string } | undefined;
  measures: { name: string; value: number | null; threshold: number | null; verdict: string }[];
  note: string;
  gaps: string[];
  recommendation: { label: string | undefined; reasons: string[]; figures: string[]; actions: string[] } | undefined;
}

type Fields = Record<string, unknown>;
const numberIn = (value: unknown) => (typeof value === "number" && Number.isFinite(value) ? value : null);
const textIn = (value: unknown) => (typeof value === "string" ? value : "");
const textsIn = (value: unknown) => (Array.isArray(value) ? value.filter((item) => typeof item === "string") : []);
const listIn = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isObject) : []);

/** Reads a report with a comparison, in the form of the scenario orchestrator and the aggregator. Returns undefined for any other value. */
export function readReport(report: unknown): Report | undefined {
  if (!isObject(report) || !isObject(report.comparison)) return undefined;
  const { comparison } = report;
  const rows = listIn(comparison.rows).map(rowOf);
  if (rows.length === 0) return undefined;
  return {
    rows,
    scaling: isObject(comparison.scaling) ? scalingOf(comparison.scaling) : undefined,
    measures: listIn(comparison.measures).map(({ name, value, threshold, verdict }) => ({
      name: textIn(name),
      value: numberIn(value),
      threshold: numberIn(threshold),
      verdict: typeof verdict === "boolean" ? (verdict ? "good" : "not met") : textIn(verdict),
    })),
    note: textIn(comparison.note),
    gaps: textsIn(report.gaps),
    recommendation: isObject(report.recommendation) ? recommendationOf(report.recommendation) : undefined,
  };
}

const rowOf = (row: Fields): ReportRow => ({
  label: textIn(row.label),
  status: textIn(row.status),
  items: numberIn(row.items),
  elapsedMs: numberIn(row.elapsedMs),
  msPerItem: numberIn(row.msPerItem),
  quality: numberIn(row.quality),
  failedItems: numberIn(row.failedItems),
  dollars: numberIn(row.dollars),
});

const scalingOf = (scaling: Fields) => ({
  class: textIn(scaling.class),
  ratio: numberIn(scaling.ratio),
  from: textIn(scaling.from) || "smallest",
  to: textIn(scaling.to) || "largest",
});

function recommendationOf({ label, reasons, itemsPerRequest, expectedSeconds, concurrency, actions }: Fields) {
  const [items, seconds, parallel] = [itemsPerRequest, expectedSeconds, concurrency].map(numberIn);
  const figures = [
    typeof items === "number" && `${round(items)} items a request`,
    typeof seconds === "number" && `about ${round(seconds)} s each`,
    typeof parallel === "number" && `${parallel} at once`,
  ];
  return {
    label: textIn(label) || undefined,
    reasons: textsIn(reasons),
    figures: figures.filter((figure) => figure !== false),
    actions: Array.isArray(actions)
      ? actions.map((one: unknown) => (isObject(one) ? textIn(one.action) : textIn(one))).filter(Boolean)
      : [],
  };
}

/** Returns a number as text with at most two decimals. */
export const round = (value: number): string =>
  Number.isInteger(value) || Math.abs(value) >= 100 ? String(Math.round(value)) : value.toFixed(2);
