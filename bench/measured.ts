/** A figure in a table: a number, the spread of several rounds, or undefined if it could not be measured. */
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

/** The result of a part: its tables, and the figures that the targets need, by name. */
export interface Measured {
  tables: Table[];
  figures?: Record<string, number | undefined>;
  /** Notes about the figures, such as the number of samples, or why a row is missing. */
  notes?: string[];
}

export function quantile(values: number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))];
}

/** Returns the median. For an even number of values, it is the mean of the two middle values. */
export function median(values: number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

/** Returns the median and the range of several rounds. Returns the value of a single round, and undefined without any round. */
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
