import { z } from "zod";
import { CallStatus } from "../agent/ledger.ts";
import { compareWorth, divide, msPerItem, succeeded, sumOf } from "./figures.ts";
import type { LabelledResult } from "./labelled-result.ts";
import { Measure, measure, Thresholds } from "./measures.ts";
import { Growth, growthOf, Scaling, scalingOf } from "./scaling.ts";

const figure = (description: string) => z.number().nullable().describe(description);

const Row = z.object({
  label: z.string().describe("Label of the result"),
  status: CallStatus.describe("Outcome of the result"),
  items: figure("Items that were processed"),
  elapsedMs: figure("Time that it took, waiting included"),
  msPerItem: figure("Time at work on one item"),
  quality: figure("How good it is, 1 being flawless"),
  failedItems: figure("Items that could not be processed, beside those that were"),
  tokens: figure("Tokens that models used"),
  dollars: figure("What models cost"),
  computeDollars: figure("What its time at work costs, at the context's rate"),
  rank: figure("By quality, then by time per item; null for what did not succeed"),
});

type Row = z.infer<typeof Row>;

export const Comparison = z.object({
  rows: z.array(Row).describe("One row per result, in the order of the input"),
  scaling: Scaling.nullable().describe("How time per unit of work grows with the load. Null when it is unknown."),
  growth: z.array(Growth).describe("Time of every load relative to the smallest one, as measured and as expected"),
  measures: z.array(Measure).describe("Measures, each with its value, threshold and verdict"),
  performance: z
    .object({
      totalMs: figure("All times together"),
      criticalPathMs: figure("The longest time"),
      parallelEfficiency: figure("All times together against the longest: how much was gained by working side by side"),
    })
    .describe("Durations"),
  cost: z
    .object({
      tokens: figure("Tokens that models used"),
      computeSeconds: figure("Time at work, of all together"),
      dollars: figure("What models cost"),
      computeDollars: figure("What that time costs, at the context's rate"),
      dollarsPerQualityPoint: figure("All dollars, those of failures included, for each point of quality of what succeeded"),
    })
    .describe("Resources used, as far as they were measured"),
  note: z.string().nullable().describe("Why there is no comparison or no scaling. Null if there are both."),
});

export type Comparison = z.infer<typeof Comparison>;

/** The context fields that a comparison reads. */
export interface Rates {
  thresholds: Thresholds;
  computeDollarsPerHour: number;
}

/** The schemas of the fields in `Rates`, for the context of a pattern. */
export const rates = {
  thresholds: Thresholds,
  computeDollarsPerHour: z.number().min(0).default(0.1).describe("Dollars for an hour of work of the machine"),
};

/** Compares results side by side. A value that was not measured is null or "unknown", and is never guessed. */
export function compare(results: LabelledResult[], { thresholds, computeDollarsPerHour: rate }: Rates): Comparison {
  const scaling = scalingOf(results);
  return {
    rows: results.map((result) => toRow(result, results, rate)),
    scaling,
    growth: growthOf(results, thresholds.growthFactor),
    measures: measure(results, thresholds),
    performance: performanceOf(results),
    cost: costOf(results, rate),
    note:
      reasonAgainst(results) ?? (scaling ? null : "No scaling: two successes of different sizes with measured times are needed for it."),
  };
}

function toRow(result: LabelledResult, results: LabelledResult[], rate: number): Row {
  const { label, status, items = null, elapsedMs = null, quality = null, failedItems = null, tokens = null, dollars = null } = result;
  const better = succeeded(results).filter((other) => compareWorth(other, result) < 0).length;
  return {
    label,
    status,
    items,
    elapsedMs,
    msPerItem: msPerItem(result),
    quality,
    failedItems,
    tokens,
    dollars,
    computeDollars: computeCost(result, rate),
    rank: status === "success" ? better + 1 : null,
  };
}

function performanceOf(results: LabelledResult[]): Comparison["performance"] {
  const times = results.flatMap(({ elapsedMs }) => elapsedMs ?? []);
  const totalMs = sumOf(times);
  const criticalPathMs = times.length > 0 ? Math.max(...times) : null;
  return { totalMs, criticalPathMs, parallelEfficiency: divide(totalMs, criticalPathMs) };
}

const workedMs = ({ workMs, elapsedMs }: LabelledResult) => workMs ?? elapsedMs ?? null;
const computeCost = (result: LabelledResult, rate: number) => {
  const hours = divide(workedMs(result), 3_600_000);
  return hours === null ? null : hours * rate;
};

function costOf(results: LabelledResult[], rate: number): Comparison["cost"] {
  const dollars = sumOf(results.map((result) => result.dollars));
  const computeDollars = sumOf(results.map((result) => computeCost(result, rate)));
  const qualities = sumOf(succeeded(results).map(({ quality }) => quality));
  return {
    tokens: sumOf(results.map(({ tokens }) => tokens)),
    computeSeconds: divide(sumOf(results.map(workedMs)), 1000),
    dollars,
    computeDollars,
    dollarsPerQualityPoint: divide(sumOf([dollars, computeDollars]), qualities),
  };
}

function reasonAgainst(results: LabelledResult[]): string | null {
  const good = succeeded(results);
  if (good.length > 1) return null;
  if (results.length === 0) return "Comparison is not possible: there are no results.";
  if (results.length === 1) return `Comparison is not possible: "${results[0]?.label}" is the only result.`;
  if (good.length === 0) return "Comparison is not possible: nothing succeeded.";
  return `Comparison is not possible: only "${good[0]?.label}" succeeded.`;
}
