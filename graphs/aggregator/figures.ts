import type { LabelledResult } from "./labelled-result.ts";

export const succeeded = (results: LabelledResult[]) => results.filter(({ status }) => status === "success");

/** Returns the working time per item. Returns null when it was not measured or there was no item. */
export function msPerItem({ items, elapsedMs, workMs }: LabelledResult): number | null {
  const spent = workMs ?? elapsedMs;
  return items && spent !== undefined ? spent / items : null;
}

/** Returns the working time per unit of work. An item of a harder load can be several units. */
export const msPerUnit = (result: LabelledResult) => divide(msPerItem(result), result.workPerItem ?? 1);

/** Returns the speed in units of work. Returns null when it was not measured or is too high to measure. */
export const unitsPerSecond = (result: LabelledResult) => divide(1000, msPerUnit(result));

/** Returns the share of failed items among all processed items. */
export function errorRate({ items = 0, failedItems }: LabelledResult): number | null {
  return failedItems === undefined ? null : divide(failedItems, items + failedItems);
}

/** Returns the successful results, the best first: by quality, then by time per item. Results without a measurement come last. */
export function rank(results: LabelledResult[]): LabelledResult[] {
  return succeeded(results).toSorted(compareWorth);
}

/** Returns a negative number when the first result is better. */
export function compareWorth(one: LabelledResult, other: LabelledResult): number {
  const quality = (other.quality ?? -1) - (one.quality ?? -1);
  const [time, otherTime] = [msPerItem(one) ?? Number.MAX_VALUE, msPerItem(other) ?? Number.MAX_VALUE];
  return quality === 0 ? time - otherTime : quality;
}

/** Returns the sum of the measured values. Returns null when nothing was measured. */
export function sumOf(figures: (number | undefined | null)[]): number | null {
  const known = figures.filter((figure) => typeof figure === "number");
  return known.length > 0 ? known.reduce((sum, figure) => sum + figure, 0) : null;
}

/** Returns a quotient. Returns null when it is undefined. */
export function divide(dividend: number | null | undefined, divisor: number | null | undefined): number | null {
  return typeof dividend === "number" && typeof divisor === "number" && divisor !== 0 ? dividend / divisor : null;
}

/** Returns a figure with four significant digits. */
export const figureText = (value: number) => String(Number(value.toPrecision(4)));
