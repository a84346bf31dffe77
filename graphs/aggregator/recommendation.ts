import { z } from "zod";
import { divide, errorRate, figureText, msPerItem, rank, succeeded, unitsPerSecond } from "./figures.ts";
import type { LabelledResult } from "./labelled-result.ts";
import { measure, type Thresholds } from "./measures.ts";
import { loadsOf, scalingOf } from "./scaling.ts";

export const Recommendation = z.object({
  label: z.string().nullable().describe("Label of the recommended result. Null when none is good enough."),
  confidence: z
    .number()
    .describe("Confidence from 0 to 1. It grows with the share of measured values and with the number of successful results."),
  reasons: z.array(z.string()).describe("Reasons for the recommended result, and reasons against the other results"),
  itemsPerRequest: z.number().nullable().describe("Batch size of the recommended result. If unknown: its number of items."),
  expectedSeconds: z.number().nullable().describe("Expected seconds for a request of that size"),
  concurrency: z.number().int().nullable().describe("Parallel requests that process the largest load in the same time"),
  actions: z
    .array(z.object({ priority: z.number().int().describe("1 is the most urgent"), action: z.string().describe("Action to take") }))
    .describe("Actions, the most urgent first"),
});

export type Recommendation = z.infer<typeof Recommendation>;

type Choice = Pick<Recommendation, "reasons"> & { chosen?: LabelledResult };

/** Returns which result to use in production, with the reasons and the most urgent actions. Returns null if nothing succeeded. */
export function recommend(results: LabelledResult[], thresholds: Thresholds): Recommendation | null {
  const choice = chooseByLoad(results, thresholds) ?? chooseByRank(results, thresholds);
  if (!choice) return null;
  const { chosen, reasons } = choice;
  const actions = actionsFor(results, thresholds).map((action, index) => ({ priority: index + 1, action }));
  const confidence = confidenceIn(chosen, results);
  if (!chosen) return { label: null, confidence, reasons, itemsPerRequest: null, expectedSeconds: null, concurrency: null, actions };
  const itemsPerRequest = batchSizeOf(chosen) ?? chosen.items ?? null;
  const perItem = msPerItem(chosen);
  const loads = divide(Math.max(...results.map(({ items = 0 }) => items)), chosen.items);
  return {
    label: chosen.label,
    confidence,
    reasons,
    itemsPerRequest,
    expectedSeconds: itemsPerRequest === null || perItem === null ? null : (itemsPerRequest * perItem) / 1000,
    concurrency: loads === null ? null : Math.ceil(loads),
    actions,
  };
}

/**
 * Chooses the largest load whose quality, speed and error rate are within the thresholds. The reasons also say why the other loads were not
 * chosen. If no load is within the thresholds, returns only reasons. Returns undefined if all loads have the same size.
 */
function chooseByLoad(results: LabelledResult[], thresholds: Thresholds): Choice | undefined {
  const smallest = loadsOf(results)?.smallest;
  if (!smallest) return undefined;
  const verdicts = succeeded(results)
    .filter(({ items = 0 }) => items > 0)
    .toSorted((a, b) => (a.items ?? 0) - (b.items ?? 0))
    .map((result) => ({ result, against: reasonsAgainst(result, smallest, thresholds) }));
  const chosen = verdicts.findLast(({ against }) => against.length === 0)?.result;
  if (!chosen) return { reasons: verdicts.map(({ result, against }) => reasonNot(result, against, result)) };
  return {
    chosen,
    reasons: [
      `${chosen.label}: the largest load (${chosen.items} items) that keeps quality, speed and error rate within the thresholds.`,
      ...verdicts.filter(({ result }) => result !== chosen).map(({ result, against }) => reasonNot(result, against, chosen)),
    ],
  };
}

/** Chooses the best result. Used if the results do not come from different loads. */
function chooseByRank(results: LabelledResult[], thresholds: Thresholds): Choice | undefined {
  const good = succeeded(results);
  const against = (result: LabelledResult) => [...shortfallOf(result), ...failuresOf(result, thresholds)];
  if (good.length === 0) return undefined;
  const best = rank(results).find((result) => against(result).length === 0);
  if (!best) return { reasons: good.map((result) => reasonNot(result, against(result), result)) };
  const reason = good.length === 1 ? "it is the only one that succeeded; there is nothing to compare it with" : "it ranks first";
  return { chosen: best, reasons: [`${best.label}: ${reason}.`] };
}

/**
 * Returns the reasons against choosing a result. Some reasons compare the result with the result of the smallest load. Values that were not
 * measured give no reason.
 */
function reasonsAgainst(result: LabelledResult, smallest: LabelledResult, thresholds: Thresholds): string[] {
  const failing = failuresOf(result, thresholds);
  const own = [...shortfallOf(result), ...failing];
  if (result === smallest) return own;
  const quality = divide(result.quality, smallest.quality);
  const speed = divide(unitsPerSecond(result), unitsPerSecond(smallest));
  const [rate, least] = [errorRate(result), errorRate(smallest)];
  const more = rate === null || least === null ? null : rate - least;
  return [
    ...own,
    ...(quality !== null && quality <= thresholds.qualityScaling ? [`its quality is ${percent(quality)} of ${smallest.label}'s`] : []),
    ...(speed !== null && speed <= thresholds.timeEfficiency ? [`it does ${percent(speed)} of ${smallest.label}'s work a second`] : []),
    ...(failing.length === 0 && more !== null && more >= thresholds.errorSpread
      ? [`${percent(more)} more of its items fail than of ${smallest.label}'s`]
      : []),
  ];
}

/** Returns a list with one reason against the result, if its quality is below the expected quality. Otherwise, returns an empty list. */
const shortfallOf = ({ quality, expectedQuality }: LabelledResult): string[] =>
  quality !== undefined && expectedQuality !== undefined && quality < expectedQuality
    ? [`its quality ${figureText(quality)} is below the expected ${expectedQuality}`]
    : [];

function failuresOf(result: LabelledResult, thresholds: Thresholds): string[] {
  const rate = errorRate(result);
  return rate !== null && rate >= thresholds.errorRate ? [`${percent(rate)} of its items fail`] : [];
}

/** Returns the confidence of a recommendation. It grows with the share of figures that were measured, and with the number of successes. */
function confidenceIn(chosen: LabelledResult | undefined, results: LabelledResult[]): number {
  const good = succeeded(results);
  const judged = chosen ? [chosen] : good;
  const known = judged.flatMap((result) => [result.quality ?? null, msPerItem(result), errorRate(result)]);
  const share = known.filter((figure) => figure !== null).length / known.length;
  return Number(((share * good.length) / (good.length + 1)).toFixed(2));
}

function reasonNot({ label, items = 0 }: LabelledResult, against: string[], chosen: LabelledResult): string {
  if (against.length > 0) return `Not ${label}: ${against.join("; ")}.`;
  return items < (chosen.items ?? 0) ? `Not ${label}: it shows less load.` : `Not ${label}: it is no larger than ${chosen.label}.`;
}

function batchSizeOf({ traits }: LabelledResult): number | undefined {
  const [, size] = Object.entries(traits).find(([name]) => /^batch[\s_-]?size$/i.test(name)) ?? [];
  return Number(size) > 0 ? Number(size) : undefined;
}

/**
 * Returns the actions, the most urgent first. Failures come first, then degradation under load, then variation. Unknown values come last.
 */
function actionsFor(results: LabelledResult[], thresholds: Thresholds): string[] {
  const scaling = scalingOf(results);
  const measures = measure(results, thresholds);
  const poor = (name: (typeof measures)[number]["name"]) => measures.some((one) => one.name === name && one.verdict === "poor");
  const unknown = measures.filter(({ verdict }) => verdict === "unknown").map(({ name }) => name);
  return [
    ...results.filter(({ status }) => status !== "success").map(mendingOf),
    ...(poor("quality scaling") ? ["Find out why quality falls as the load grows."] : []),
    ...(scaling && poor("time efficiency")
      ? [
          `Find what grows faster than the load: time per unit of work is ${scaling.ratio.toFixed(1)} times as long in ${scaling.to} as in ${scaling.from}.`,
        ]
      : []),
    ...(poor("error rate") && !poor("error spread") ? ["Find out why so many items fail."] : []),
    ...(poor("error spread") ? ["Find out why some loads have more failed items than others."] : []),
    ...(poor("quality deviation") ? ["Find out why quality varies between the loads."] : []),
    ...(unknown.length > 0 && results.length > 1 ? [`Measure what these need: ${unknown.join(", ")}.`] : []),
  ];
}

function mendingOf({ label, status, errors }: LabelledResult): string {
  const types = [...new Set(errors.map(({ type }) => type))];
  if (status === "skipped") return `Run ${label}, which was skipped.`;
  const how = status === "timeout" ? "took too long" : "failed";
  return `Find out why ${label} ${how}${types.length > 0 ? ` (${types.join(", ")})` : ""}.`;
}

const percent = (share: number) => `${Math.round(share * 100)} %`;
