import type { Distribution } from "./definition.ts";

/** Returns a generator of pseudo-random numbers from 0 to 1 (mulberry32). The same seed gives the same numbers. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function pick<T>(random: () => number, choices: readonly [T, ...T[]]): T {
  return choices[Math.floor(random() * choices.length)] ?? choices[0];
}

/**
 * Returns a random number from 0 to 1. The distribution decides whether the numbers are spread evenly, gather near 0, or gather near five
 * centres.
 */
export function placeIn(distribution: Distribution, random: () => number): number {
  if (distribution === "uniform") return random();
  if (distribution === "skewed") return random() ** 3;
  return Math.min(0.999, Math.max(0, (Math.floor(random() * 5) + 0.5) / 5 + (random() - 0.5) * 0.05));
}
