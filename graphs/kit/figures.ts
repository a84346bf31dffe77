import type { LabelledResult } from "./labelled-result.ts";

export const succeeded = (results: LabelledResult[]) => results.filter(({ status }) => status === "success");

/** Time at work on one item; null when it was not measured or there was no item. */
export function msPerItem({ items, elapsedMs, workMs }: LabelledResult): number | null {
  const spent = workMs ?? elapsedMs;
  return items && spent !== undefined ? spent / items : null;
}

/** How fast it went; null when it was not measured, or was too fast to be. */
export const itemsPerSecond = (result: LabelledResult) => divide(1000, msPerItem(result));

/** The share of items that could not be processed, of all that were worked on. */
export function errorRate({ items = 0, failedItems }: LabelledResult): number | null {
  return failedItems === undefined ? null : divide(failedItems, items + failedItems);
}

/** What succeeded, the best first: by quality, then by time per item; what was not measured comes after what was. */
export function rank(results: LabelledResult[]): LabelledResult[] {
  return succeeded(results).toSorted(compareWorth);
}

/** Below zero when the first is better. */
export function compareWorth(one: LabelledResult, other: LabelledResult): number {
  const quality = (other.quality ?? -1) - (one.quality ?? -1);
  const [time, otherTime] = [msPerItem(one) ?? Number.MAX_VALUE, msPerItem(other) ?? Number.MAX_VALUE];
  return quality === 0 ? time - otherTime : quality;
}

/** The sum of what was measured; null when nothing was. */
export function sumOf(figures: (number | undefined | null)[]): number | null {
  const known = figures.filter((figure) => typeof figure === "number");
  return known.length > 0 ? known.reduce((sum, figure) => sum + figure, 0) : null;
}

/** A quotient that is null where it means nothing. */
export function divide(dividend: number | null | undefined, divisor: number | null | undefined): number | null {
  return typeof dividend === "number" && typeof divisor === "number" && divisor !== 0 ? dividend / divisor : null;
}
