import type { LabelledResult } from "./labelled-result.ts";

export const succeeded = (results: LabelledResult[]) => results.filter(({ status }) => status === "success");

/** Returns the working time per item, in milliseconds. Returns null if the time was not measured or there was no item. */
export function msPerItem({ items, elapsedMs, workMs }: LabelledResult): number | null {
  const spent = workMs ?? elapsedMs;
  return items && spent !== undefined ? spent / items : null;
}

/**
 * Returns the working time per unit of work, in milliseconds. One item of a harder load may consist of several units. The time per unit,
 * unlike the time per item, can therefore be compared between loads.
 */
export const msPerUnit = (result: LabelledResult) => divide(msPerItem(result), result.workPerItem ?? 1);

/** Returns the units of work per second. Returns null if the time was not measured or is zero. */
export const unitsPerSecond = (result: LabelledResult) => divide(1000, msPerUnit(result));

/** Returns the share of failed items among all processed items. */
export function errorRate({ items = 0, failedItems }: LabelledResult): number | null {
  return failedItems === undefined ? null : divide(failedItems, items + failedItems);
}

/**
 * Returns the successful results, the best one first. They are sorted by quality, and results of equal quality by time per item. A result
 * without a measurement comes last.
 */
export function rank(results: LabelledResult[]): LabelledResult[] {
  return succeeded(results).toSorted(compareWorth);
}

/** Compares two results. Returns a negative number if the first one is better. */
export function compareWorth(one: LabelledResult, other: LabelledResult): number {
  const quality = (other.quality ?? -1) - (one.quality ?? -1);
  const [time, otherTime] = [msPerItem(one) ?? Number.MAX_VALUE, msPerItem(other) ?? Number.MAX_VALUE];
  return quality === 0 ? time - otherTime : quality;
}

/** Returns the sum of the values that were measured, or null if none was. */
export function sumOf(figures: (number | undefined | null)[]): number | null {
  const known = figures.filter((figure) => typeof figure === "number");
  return known.length > 0 ? known.reduce((sum, figure) => sum + figure, 0) : null;
}

/** Returns a quotient, or null if a number is missing or the divisor is zero. */
export function divide(dividend: number | null | undefined, divisor: number | null | undefined): number | null {
  return typeof dividend === "number" && typeof divisor === "number" && divisor !== 0 ? dividend / divisor : null;
}

/** Returns a number as text with four significant digits. */
export const figureText = (value: number) => String(Number(value.toPrecision(4)));
