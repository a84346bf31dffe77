/** Counts delays in steps of half a millisecond, because there are too many delays to keep each of them. */
export interface Lags {
  note(sentAt: number): void;
  quantile(share: number): number;
  readonly total: number;
  /** The time between the first and the last recorded delay, in milliseconds. */
  readonly ms: number;
}

const stepMs = 0.5;
const steps = 240_000; // the steps of two minutes

/** Returns the time of the machine's clock, which all processes share. */
const now = () => performance.timeOrigin + performance.now();

export function createLags(): Lags {
  const counts = new Uint32Array(steps);
  let total = 0;
  let firstAt = 0;
  let lastAt = 0;
  return {
    note(sentAt) {
      lastAt = now();
      firstAt ||= lastAt;
      total += 1;
      const step = Math.min(steps - 1, Math.max(0, Math.floor((lastAt - sentAt) / stepMs)));
      counts[step] = (counts[step] ?? 0) + 1;
    },
    quantile(share) {
      let sum = 0;
      return (
        counts.findIndex((count) => {
          sum += count;
          return sum >= Math.max(1, share * total);
        }) * stepMs
      );
    },
    get total() {
      return total;
    },
    get ms() {
      return lastAt - firstAt;
    },
  };
}
