import type { Direction } from "./embedding.ts";

/** A lower and an upper bound of a cosine. */
export interface Range {
  low: number;
  high: number;
}

const steps = 127;
const headBytes = 8;
/** The rounding error of stored vectors, because their numbers have only single precision. */
const rounding = 1e-6;

/**
 * Encodes a vector of length one in such a way that each number takes one byte, so that a search reads less. Each number is rounded to a
 * whole number of steps. The result also contains the size of a step, and the distance by which the rounding has moved the vector.
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

/**
 * Returns the range in which the cosine between a query's vector and an encoded vector lies. Both vectors have length one. The rounding of
 * the encoded vector then changes the cosine by at most the distance that is stored in the code.
 */
export function cosineRange(wanted: Float64Array, code: Buffer): Range {
  const [step, off] = [code.readFloatBE(0), code.readFloatBE(4) + rounding];
  const counts = new Int8Array(code.buffer, code.byteOffset + headBytes, code.length - headBytes);
  let sum = 0;
  // A plain loop is fast, and this function runs a thousand times for each page.
  for (let at = 0; at < counts.length; at++) sum += (wanted[at] as number) * (counts[at] as number);
  return { low: step * sum - off, high: step * sum + off };
}
