import { z } from "zod";
import type { Ballot, View } from "./opinion.ts";

/**
 * The agreement that makes a consensus, as a share of the experts' total weight. `unanimous` means the whole weight, and `majority` means
 * more than half.
 */
export const Threshold = z
  .union([z.enum(["unanimous", "majority"]), z.number().gt(0).max(1)])
  .default(0.7)
  .describe("Share of the weights that makes a consensus, or `unanimous`, or `majority` for more than half");

/** A camp: the experts that hold the same view. */
export const Camp = z.object({
  option: z.union([z.string(), z.number()]).describe("Option, value or position of these experts"),
  experts: z.array(z.string()).describe("Experts that hold it"),
  weight: z.number().describe("Sum of their weights"),
  confidence: z.number().describe("Mean of their confidence, by weight"),
});
export type Camp = z.infer<typeof Camp>;

/** The judge's answer when it groups positions by their meaning. */
export const Grouping = z.object({
  groups: z
    .array(
      z.object({
        position: z.string().describe("What these positions have in common"),
        labels: z.array(z.string()).describe("Labels of the positions, such as A"),
      }),
    )
    .describe("Positions that mean the same are in one group, however they are worded"),
  agreed: z.array(z.string()).default([]).describe("Points on which several positions agree"),
  disputed: z.array(z.string()).default([]).describe("Points on which positions differ"),
});
export type Grouping = z.infer<typeof Grouping>;

/** Returns the letter that stands for an expert when the judge or other experts must not see the name. */
export const labelOf = (index: number) => String.fromCharCode(65 + index);

const sumOf = (views: { weight: number }[]) => views.reduce((sum, { weight }) => sum + weight, 0);

function campOf(option: Camp["option"], views: View[]): Camp {
  const weight = sumOf(views);
  const confidence = views.reduce((sum, view) => sum + view.confidence * view.weight, 0) / weight;
  return { option, experts: views.map(({ expert }) => expert), weight, confidence: Math.round(confidence * 1_000) / 1_000 };
}

/** Returns the camps, the heaviest first. If weights are equal, the camp with more confidence comes first. */
export function campsOf(views: View[], ballot: Ballot, groups: Grouping["groups"] = []): Camp[] {
  const found = ballot.scale ? campsOnScale(views, ballot.scale) : ballot.options ? campsOfOptions(views) : campsOfGroups(views, groups);
  return found.toSorted((a, b) => b.weight - a.weight || b.confidence - a.confidence);
}

const campsOfOptions = (views: View[]) =>
  [...Map.groupBy(views, ({ option }) => option ?? "").entries()].map(([option, camp]) => campOf(option, camp));

/**
 * Returns the camps for numbers on a scale. Values within a tenth of the scale around the weighted median form one camp. Every other value
 * forms a camp of its own.
 */
function campsOnScale(views: View[], { min, max }: { min: number; max: number }): Camp[] {
  const ordered = views.toSorted((a, b) => Number(a.option) - Number(b.option));
  const half = sumOf(views) / 2;
  const median = Number(ordered.find((_, index) => sumOf(ordered.slice(0, index + 1)) >= half)?.option ?? min);
  const isNear = ({ option }: View) => Math.abs(Number(option) - median) <= (max - min) / 10;
  return [campOf(median, views.filter(isNear)), ...campsOfOptions(views.filter((view) => !isNear(view)))];
}

/**
 * Returns a camp for each of the judge's groups. Views that are in none of these groups form a camp if their positions have the same
 * wording.
 */
function campsOfGroups(views: View[], groups: Grouping["groups"]): Camp[] {
  const left = new Map(views.map((view, index) => [labelOf(index), view]));
  const grouped = groups.flatMap(({ position, labels }) => {
    const camp = labels.flatMap((label) => {
      const view = left.get(label);
      return view && left.delete(label) ? [view] : [];
    });
    return camp.length > 0 ? [campOf(position, camp)] : [];
  });
  const alone = Map.groupBy(left.values(), ({ position }) => position.trim().toLowerCase());
  return [...grouped, ...[...alone.values()].map((camp) => campOf(camp[0]?.position ?? "", camp))];
}

/** Returns the agreement: the weight of the heaviest camp as a share of the weight of all camps. */
export const agreementOf = (camps: Camp[]): number => (camps[0]?.weight ?? 0) / sumOf(camps);

/** Tells whether the heaviest camp is a consensus. A tie is never a consensus. */
export function isConsensus(camps: Camp[], threshold: z.infer<typeof Threshold>): boolean {
  const agreement = agreementOf(camps);
  if (isTie(camps)) return false;
  if (threshold === "majority") return agreement > 0.5;
  return agreement >= (threshold === "unanimous" ? 1 : threshold) - 1e-9;
}

export const isTie = ([first, second]: Camp[]): boolean => first !== undefined && first.weight === second?.weight;

/**
 * Returns the camp with the most experts, each with one vote. In a tie, the camp of the expert named by `tieBreak` wins. Returns undefined
 * if that expert is in none of the tied camps.
 */
export function voteOn(camps: Camp[], tieBreak: string | undefined): Camp | undefined {
  const most = Math.max(...camps.map(({ experts }) => experts.length));
  const first = camps.filter(({ experts }) => experts.length === most);
  return first.length === 1 ? first[0] : first.find(({ experts }) => tieBreak !== undefined && experts.includes(tieBreak));
}

/** Returns the points that at least two experts made in the same words. */
export function sharedPoints(views: View[]): string[] {
  const made = views.flatMap(({ expert, reasons, risks, conditions }) =>
    [...reasons, ...risks, ...conditions].map((point) => ({ expert, point })),
  );
  const byWords = Map.groupBy(made, ({ point }) => point.trim().toLowerCase());
  return [...byWords.values()].filter((same) => new Set(same.map(({ expert }) => expert)).size > 1).map(([first]) => first?.point ?? "");
}
