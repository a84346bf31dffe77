import type { Direction } from "./embedding.ts";

/** The lower and upper bound of a cosine. */
export interface Range {
  low: number;
  high: number;
}

const steps = 127;
const headBytes = 8;
/** The rounding error of vectors, whose numbers are stored as reals. */
const rounding = 1e-6;

/**
 * Encodes a direction with one byte a number. The code holds the step size, the distance between code and direction, and each number in
 * steps. Migration 028 computes the same code.
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

/** Returns the range of the cosine by a code. For a wanted vector of length one, the error is at most the code's distance. */
export function cosineRange(wanted: Float64Array, code: Buffer): Range {
  const [step, off] = [code.readFloatBE(0), code.readFloatBE(4) + rounding];
  const counts = new Int8Array(code.buffer, code.byteOffset + headBytes, code.length - headBytes);
  let sum = 0;
  for (let at = 0; at < counts.length; at++) sum += (wanted[at] as number) * (counts[at] as number); // a plain loop, because it runs a thousand times a page
  return { low: step * sum - off, high: step * sum + off };
}
