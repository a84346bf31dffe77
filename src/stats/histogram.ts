/**
 * The upper bounds of the buckets, in milliseconds. Times above the last bound are counted in one further bucket. The stored counts have no
 * names and depend on the order of the bounds. A later release may therefore add bounds only at the end.
 */
const bounds = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000];

/** The number of measured times in each bucket, in the order of the buckets. */
export type Counts = number[];

export const noCounts = (): Counts => new Array(bounds.length + 1).fill(0);

export function count(counts: Counts, ms: number): void {
  const place = bounds.findIndex((bound) => ms <= bound);
  const bucket = place < 0 ? bounds.length : place;
  counts[bucket] = (counts[bucket] ?? 0) + 1;
}

/**
 * Estimates a percentile of the counted times, in milliseconds. For example, 95 % of the times lie below the result for a `share` of 0.95.
 * Assumes that the times in a bucket are evenly spread. Returns null if nothing was counted.
 */
export function percentile(counts: Counts, share: number): number | null {
  const total = counts.reduce((sum, one) => sum + one, 0);
  if (total === 0) return null;
  const rank = share * total;
  let before = 0;
  for (const [bucket, inBucket] of counts.entries()) {
    if (inBucket > 0 && before + inBucket >= rank) return within(bucket, (rank - before) / inBucket);
    before += inBucket;
  }
  return bounds.at(-1) ?? null;
}

function within(bucket: number, part: number): number {
  const from = bounds[bucket - 1] ?? 0;
  const to = bounds[bucket] ?? from; // nothing is known about times above the last bound
  return from + (to - from) * part;
}

export function addCounts(one: Counts, other: Counts): Counts {
  return Array.from({ length: Math.max(one.length, other.length) }, (_, place) => (one[place] ?? 0) + (other[place] ?? 0));
}
