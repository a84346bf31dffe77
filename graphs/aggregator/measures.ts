import { z } from "zod";
import { closed } from "../agent/closed.ts";
import { divide, errorRate, succeeded, unitsPerSecond } from "./figures.ts";
import type { LabelledResult } from "./labelled-result.ts";
import { loadsOf } from "./scaling.ts";

const share = z.number().min(0);

/** The thresholds that decide whether a measure counts as good. */
export const Thresholds = closed({
  qualityScaling: share.default(0.8).describe("Quality of the largest load relative to the smallest must be above this"),
  timeEfficiency: share.default(0.5).describe("Time per unit of work of the smallest load relative to the largest must be above this"),
  resourceEfficiency: share.default(0.5).describe("Good work per second of the largest load relative to the smallest must be above this"),
  qualityDeviation: share.default(0.05).describe("Standard deviation of quality must be below this"),
  errorRate: share.default(0.05).describe("Highest share of failed items must be below this"),
  growthFactor: z
    .number()
    .min(1)
    .default(1.5)
    .describe(
      "Tolerance factor. Time per unit of work counts as expected if it is at most this many times longer or shorter than expected.",
    ),
  errorSpread: share.default(0.05).describe("Difference between the highest and the lowest error rate must be below this"),
})
  .prefault({})
  .describe("Thresholds for a good verdict");

export type Thresholds = z.infer<typeof Thresholds>;

export const Measure = z.object({
  name: z
    .enum(["quality scaling", "time efficiency", "resource efficiency", "quality deviation", "error rate", "error spread"])
    .describe("Name of the measure"),
  value: z.number().nullable().describe("Value. Null when its inputs were not measured."),
  threshold: z.number().describe("Threshold for the value"),
  verdict: z.enum(["good", "poor", "unknown"]).describe("Whether the value meets the threshold"),
  meaning: z.string().describe("Explanation of the measure"),
});

export type Measure = z.infer<typeof Measure>;

/**
 * Returns the measures of the successful results. The measures say how well the results hold up as the load grows, and how much the results
 * vary.
 */
export function measure(results: LabelledResult[], thresholds: Thresholds): Measure[] {
  const loads = loadsOf(results);
  const compared = (figure: (result: LabelledResult) => number | null | undefined) =>
    loads ? divide(figure(loads.largest), figure(loads.smallest)) : null;
  return [
    above("quality scaling", compared(qualityOf), thresholds.qualityScaling, "Quality of the largest load against the smallest"),
    above("time efficiency", compared(unitsPerSecond), thresholds.timeEfficiency, "Work a second of the largest load against the smallest"),
    above(
      "resource efficiency",
      compared(yieldOf),
      thresholds.resourceEfficiency,
      "Quality a second: work a second, worth its quality, of the largest load against the smallest",
    ),
    below("quality deviation", deviationOf(results), thresholds.qualityDeviation, "Standard deviation of quality over all loads"),
    below("error rate", highest(ratesOf(results)), thresholds.errorRate, "The highest share of failed items of any load"),
    below("error spread", spreadOf(ratesOf(results)), thresholds.errorSpread, "Between the highest and the lowest share of failed items"),
  ];
}

const qualityOf = ({ quality }: LabelledResult) => quality;

/**
 * Returns the quality times the units of work per second. The speed counts units and not runs, because a run with ten times as many items
 * would look ten times less efficient.
 */
function yieldOf(result: LabelledResult): number | null {
  const speed = unitsPerSecond(result);
  return speed === null || result.quality === undefined ? null : speed * result.quality;
}

function deviationOf(results: LabelledResult[]): number | null {
  const qualities = succeeded(results).flatMap(({ quality }) => quality ?? []);
  if (qualities.length < 2) return null;
  const mean = qualities.reduce((sum, quality) => sum + quality, 0) / qualities.length;
  const squares = qualities.reduce((sum, quality) => sum + (quality - mean) ** 2, 0);
  return Math.sqrt(squares / (qualities.length - 1));
}

const ratesOf = (results: LabelledResult[]) => succeeded(results).flatMap((result) => errorRate(result) ?? []);
const highest = (rates: number[]) => (rates.length === 0 ? null : Math.max(...rates));
const spreadOf = (rates: number[]) => (rates.length < 2 ? null : Math.max(...rates) - Math.min(...rates));

const above = (name: Measure["name"], value: number | null, threshold: number, meaning: string): Measure =>
  judged({ name, value, threshold, meaning }, value !== null && value > threshold);
const below = (name: Measure["name"], value: number | null, threshold: number, meaning: string): Measure =>
  judged({ name, value, threshold, meaning }, value !== null && value < threshold);

function judged(measured: Omit<Measure, "verdict">, accepted: boolean): Measure {
  return { ...measured, verdict: measured.value === null ? "unknown" : accepted ? "good" : "poor" };
}
