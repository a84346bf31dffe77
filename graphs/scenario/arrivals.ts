/**
 * When the first of a segment's scenarios came to where they meet. It is known only while this process works on the segment, which is
 * all it is needed for: the slower ones, at work beside it, stop waiting for their own milestone a while after. What a crash forgets
 * is made good by the segment's own limit. Every segment is forgotten when it has been joined.
 */
const firstArrivals = new Map<string, number>();

export const segmentKey = (runId: string, segment: number) => `${runId}/${segment}`;

export function noteArrival(key: string): void {
  if (!firstArrivals.has(key)) firstArrivals.set(key, Date.now());
}

export const firstArrival = (key: string): number | undefined => firstArrivals.get(key);
export const forgetArrivals = (key: string): void => void firstArrivals.delete(key);
