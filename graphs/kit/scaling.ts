import { z } from "zod";
import { divide, msPerItem, succeeded } from "./figures.ts";
import type { LabelledResult } from "./labelled-result.ts";

export const Scaling = z.object({
  class: z
    .enum(["sublinear", "linear", "mildly superlinear", "superlinear"])
    .describe("Under 0.8 sublinear, up to 1.2 linear, up to 2 mildly superlinear, over 2 superlinear"),
  ratio: z.number().describe("Time per item of the largest load relative to the smallest"),
  from: z.string().describe("Label of the smallest load"),
  to: z.string().describe("Label of the largest load"),
});

export type Scaling = z.infer<typeof Scaling>;

/** Returns the smallest and the largest successful load. Returns undefined when all have the same size. */
export function loadsOf(results: LabelledResult[]): { smallest: LabelledResult; largest: LabelledResult } | undefined {
  const bySize = succeeded(results)
    .filter(({ items = 0 }) => items > 0)
    .toSorted((a, b) => (a.items ?? 0) - (b.items ?? 0));
  const [smallest] = bySize;
  const largest = bySize.at(-1);
  return smallest && largest && smallest.items !== largest.items ? { smallest, largest } : undefined;
}

/** Returns how time per item grows with the load. Returns null when it was not measured. */
export function scalingOf(results: LabelledResult[]): Scaling | null {
  const loads = loadsOf(results);
  if (!loads) return null;
  const ratio = divide(msPerItem(loads.largest), msPerItem(loads.smallest));
  return ratio === null ? null : { class: classOf(ratio), ratio, from: loads.smallest.label, to: loads.largest.label };
}

function classOf(ratio: number): Scaling["class"] {
  if (ratio < 0.8) return "sublinear";
  if (ratio <= 1.2) return "linear";
  return ratio <= 2 ? "mildly superlinear" : "superlinear";
}
