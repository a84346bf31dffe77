import type { Direction } from "./embedding.ts";

/** Between which two values a cosine lies. */
export interface Range {
  low: number;
  high: number;
}

const steps = 127;
const headBytes = 8;
/** What the numbers of vectors, which are stored as reals, may be off. */
const rounding = 1e-6;

/**
 * A direction in a byte a number: the length of a step, how far off the whole is, and how many steps each number is. Migration 028 makes the
 * same.
 */
export function encodeDirection(direction: Direction): Buffer {
  const step = Math.fround(direction.reduce((most, number) => Math.max(most, Math.abs(number)), 0) / steps);
  const counts = Int8Array.from(direction, (number) => (step === 0 ? 0 : Math.max(-steps, Math.min(steps, Math.round(number / step)))));
  const off = Math.hypot(...direction.map((number, at) => number - step * (counts[at] ?? 0)));
  const head = Buffer.alloc(headBytes);
  head.writeFloatBE(step, 0);
  head.writeFloatBE(off, 4);
  return Buffer.concat([head, Buffer.from(counts.buffer)]);
}

/** What a code says of the cosine: no vector of length one tells what it is off by more than its own length. */
export function cosineRange(wanted: Float64Array, code: Buffer): Range {
  const [step, off] = [code.readFloatBE(0), code.readFloatBE(4) + rounding];
  const counts = new Int8Array(code.buffer, code.byteOffset + headBytes, code.length - headBytes);
  let sum = 0;
  for (let at = 0; at < counts.length; at++) sum += (wanted[at] as number) * (counts[at] as number); // a thousand times a page
  return { low: step * sum - off, high: step * sum + off };
}
