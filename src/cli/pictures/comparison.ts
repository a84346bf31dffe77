import { z } from "zod";
import { outline } from "../terminal/outline.ts";
import type { Screen } from "../terminal/screen.ts";
import { showTable } from "../terminal/table.ts";
import { figure, seconds } from "./amounts.ts";

const number = z.number().nullish().catch(null);
const text = z.string().nullish().catch(null);
const texts = z.array(z.string()).catch([]);

const Row = z.looseObject({
  label: z.string(),
  status: text,
  items: number,
  elapsedMs: number,
  msPerItem: number,
  quality: number,
  failedItems: number,
  rank: number,
});
const Measure = z.looseObject({
  name: z.string(),
  value: number,
  threshold: number,
  verdict: z.union([z.string(), z.boolean()]).nullish().catch(null),
});
const Action = z.union([z.string(), z.looseObject({ action: z.string() }).transform(({ action }) => action)]);

/**
 * A report with a comparison, as the scenario graph and the aggregator return it. Only the rows are required. Other fields are shown if
 * they exist.
 */
const Compared = z.looseObject({
  comparison: z.looseObject({
    rows: z.array(Row).min(1),
    scaling: z.looseObject({ class: z.string(), ratio: number, from: text, to: text }).nullish().catch(null),
    measures: z.array(Measure).nullish().catch(null),
    note: text,
  }),
  gaps: texts,
  synthesis: z.unknown().optional(),
  recommendation: z
    .looseObject({
      label: text,
      reasons: texts,
      itemsPerRequest: number,
      expectedSeconds: number,
      concurrency: number,
      actions: z.array(Action).catch([]),
    })
    .nullish()
    .catch(null),
});

type Compared = z.output<typeof Compared>;

/** Shows a report that contains a comparison, and returns true. For any other report, shows nothing and returns false. */
export function showComparison(screen: Screen, report: unknown): boolean {
  const read = Compared.safeParse(report);
  if (!read.success) return false;
  const { comparison, recommendation, gaps, synthesis } = read.data;
  showRows(screen, comparison.rows);
  showMeasures(screen, comparison);
  if (recommendation) showRecommendation(screen, recommendation);
  if (synthesis) screen.line("\n", outline(synthesis));
  if (gaps.length > 0) screen.line("\n", ["bold", "Missing "], gaps.join("; "));
  return true;
}

function showRows(screen: Screen, rows: Compared["comparison"]["rows"]): void {
  screen.line();
  showTable(
    screen,
    ["rank", "scenario", "status", "items", "failed", "time", "ms/item", "quality"],
    rows.map(({ rank, label, status, items, failedItems, elapsedMs, msPerItem, quality }) => [
      figure(rank),
      label,
      status ?? "-",
      figure(items),
      figure(failedItems),
      typeof elapsedMs === "number" ? seconds(elapsedMs) : "-",
      figure(msPerItem),
      score(quality),
    ]),
  );
}

function showMeasures(screen: Screen, { scaling, measures, note }: Compared["comparison"]): void {
  if (note) screen.line("\n", note);
  if (scaling) {
    const { from, to, ratio } = scaling;
    screen.line("\n", ["bold", "Scaling "], `${scaling.class}: time per item ${to ?? "largest"} / ${from ?? "smallest"} ${figure(ratio)}`);
  }
  if (!measures?.length) return;
  screen.line();
  showTable(
    screen,
    ["measure", "value", "threshold", "verdict"],
    measures.map(({ name, value, threshold, verdict }) => [name, score(value), score(threshold), verdictText(verdict)]),
  );
}

const score = (value: number | null | undefined) => (typeof value === "number" ? value.toFixed(2) : "-");

function verdictText(verdict: string | boolean | null | undefined): string {
  if (typeof verdict === "boolean") return verdict ? "good" : "not met";
  return verdict ?? "-";
}

function showRecommendation(screen: Screen, recommendation: NonNullable<Compared["recommendation"]>): void {
  const { label, reasons, itemsPerRequest, expectedSeconds, concurrency, actions } = recommendation;
  const figures = [
    typeof itemsPerRequest === "number" && `${figure(itemsPerRequest)} items a request`,
    typeof expectedSeconds === "number" && `about ${seconds(expectedSeconds * 1_000)} each`,
    typeof concurrency === "number" && `${figure(concurrency)} at once`,
  ].filter((each) => each !== false);
  if (label) screen.line("\n", ["bold", "Recommended "], ["green", label], figures.length > 0 ? `: ${figures.join(", ")}` : "");
  for (const reason of reasons) screen.line(`  - ${reason}`);
  actions.forEach((action, index) => {
    screen.line(`  ${index + 1}. ${action}`);
  });
}
