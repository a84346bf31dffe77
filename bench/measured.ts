/** One figure of a table: a number, or several rounds of one, or nothing where it could not be measured. */
export type Figure = number | Spread | undefined;

export interface Spread {
  median: number;
  low: number;
  high: number;
}

export interface Table {
  title: string;
  columns: string[];
  rows: Record<string, readonly Figure[]>;
}

/** What a part came to: its tables, and by name the figures that the targets are about. */
export interface Measured {
  tables: Table[];
  figures?: Record<string, number | undefined>;
  /** What a reader should know beside the numbers: sample sizes, what was left out and why. */
  notes?: string[];
}

export function quantile(values: number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))];
}

/** The middle one, or between the two in the middle: two turns should count alike. */
export function median(values: number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

/** What several rounds came to; one round has no spread, none has no figure. */
export function spreadOf(values: (number | undefined)[]): Figure {
  const known = values.filter((value) => value !== undefined);
  const middle = median(known);
  if (middle === undefined || known.length === 1) return middle;
  return { median: middle, low: Math.min(...known), high: Math.max(...known) };
}

export const middleOf = (figure: Figure) => (typeof figure === "object" ? figure.median : figure);

export function ratio(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || !other ? undefined : one / other;
}

export function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : after - before;
}
