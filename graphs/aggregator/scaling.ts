import { z } from "zod";
import { divide, msPerUnit, succeeded } from "./figures.ts";
import type { LabelledResult } from "./labelled-result.ts";

export const Scaling = z.object({
  class: z
    .enum(["sublinear", "linear", "mildly superlinear", "superlinear"])
    .describe("Under 0.8 sublinear, up to 1.2 linear, up to 2 mildly superlinear, over 2 superlinear"),
  ratio: z.number().describe("Time per unit of work of the largest load relative to the smallest"),
  from: z.string().describe("Label of the smallest load"),
  to: z.string().describe("Label of the largest load"),
});

export type Scaling = z.infer<typeof Scaling>;

/** Returns the successful results with the smallest and the largest load. Returns undefined if all loads have the same size. */
export function loadsOf(results: LabelledResult[]): { smallest: LabelledResult; largest: LabelledResult } | undefined {
  const bySize = succeeded(results)
    .filter(({ items = 0 }) => items > 0)
    .toSorted((a, b) => (a.items ?? 0) - (b.items ?? 0));
  const [smallest] = bySize;
  const largest = bySize.at(-1);
  return smallest && largest && smallest.items !== largest.items ? { smallest, largest } : undefined;
}

/** Returns how the time per unit of work grows with the load. Returns null if the time was not measured. */
export function scalingOf(results: LabelledResult[]): Scaling | null {
  const loads = loadsOf(results);
  if (!loads) return null;
  const ratio = divide(msPerUnit(loads.largest), msPerUnit(loads.smallest));
  return ratio === null ? null : { class: classOf(ratio), ratio, from: loads.smallest.label, to: loads.largest.label };
}

function classOf(ratio: number): Scaling["class"] {
  if (ratio < 0.8) return "sublinear";
  if (ratio <= 1.2) return "linear";
  return ratio <= 2 ? "mildly superlinear" : "superlinear";
}

export const Growth = z.object({
  label: z.string().describe("Label of the result"),
  items: z.number().describe("Number of items of the result"),
  measured: z.number().nullable().describe("Time per unit of work relative to the smallest load, as measured"),
  expected: z.number().describe("Expected time per unit of work relative to the smallest load"),
  verdict: z.enum(["as expected", "faster", "slower", "unknown"]).describe("Whether the measured time is as expected"),
});

export type Growth = z.infer<typeof Growth>;

/**
 * Compares the time per unit of work at each larger load with the time at the smallest load. Returns the measured and the expected factor
 * for each load.
 */
export function growthOf(results: LabelledResult[], factor: number): Growth[] {
  const smallest = loadsOf(results)?.smallest;
  if (!smallest) return [];
  return succeeded(results)
    .filter((result) => result !== smallest && (result.items ?? 0) > 0)
    .toSorted((a, b) => (a.items ?? 0) - (b.items ?? 0))
    .map((result) => {
      const measured = divide(msPerUnit(result), msPerUnit(smallest));
      const expected = (result.expectedTime ?? 1) / (smallest.expectedTime ?? 1);
      return { label: result.label, items: result.items ?? 0, measured, expected, verdict: verdictOf(measured, expected, factor) };
    });
}

function verdictOf(measured: number | null, expected: number, factor: number): Growth["verdict"] {
  if (measured === null) return "unknown";
  if (measured > expected * factor) return "slower";
  return measured < expected / factor ? "faster" : "as expected";
}
