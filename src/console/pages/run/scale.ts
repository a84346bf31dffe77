import type { Row } from "./rows.ts";

/** The period that the chart covers, in Unix milliseconds. */
export interface Domain {
  from: number;
  to: number;
  /**
   * The time that the axis labels as 0. This is the start of the first attempt. If no attempt has begun, it is the time at which the run
   * was due.
   */
  zero: number;
}

/**
 * The maximum width of the wait before the first attempt, as a share of the width of the attempts. A longer wait is cut, because otherwise
 * the attempts would be thin lines.
 */
const mostWait = 0.25;

export function domainOf(rows: Row[], now: number): Domain {
  const waits = rows.filter((row) => row.kind === "waiting");
  const work = rows.flatMap((row) => (row.kind === "span" || row.kind === "attempt" ? timesOf(row, now) : []));
  const first = waits[0];
  if (work.length === 0)
    return { from: first?.from ?? now, to: Math.max(first?.to ?? now, (first?.from ?? now) + 1_000), zero: first?.from ?? now };
  const from = min(work);
  const to = Math.max(from + 1, max(work), ...waits.map(({ to: end }) => end ?? now));
  const waited = first && first.from < from ? Math.min(from - first.from, (to - from) * mostWait) : 0;
  return { from: from - waited, to, zero: from };
}

function timesOf(row: Extract<Row, { kind: "span" | "attempt" }>, now: number): number[] {
  const { from, to } = row.item;
  if (from === undefined) return [];
  return [from, to ?? now];
}

const min = (values: number[]) => values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
const max = (values: number[]) => values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const steps = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((amount) => amount * second),
  ...[1, 2, 5, 10, 15, 30].map((amount) => amount * minute),
  ...[1, 2, 4, 8, 12, 24, 48, 96, 168, 336, 672].map((amount) => amount * hour),
];

/** Returns the smallest time step, in milliseconds, that puts ticks at least `leastPx` pixels apart. */
export const tickStep = (msPerPx: number, leastPx: number): number => steps.find((step) => step / msPerPx >= leastPx) ?? 672 * hour;

/** Returns the label of a tick. Examples are "250 ms", "1.5 s" and "2:05 min". */
export function tickLabel(offset: number, step: number): string {
  if (offset === 0) return "0";
  const sign = offset < 0 ? "−" : "";
  const size = Math.abs(offset);
  if (step < second && size < second) return `${sign}${size} ms`;
  if (size < minute) return `${sign}${Number((size / second).toFixed(3))} s`;
  if (size < hour) return `${sign}${Math.floor(size / minute)}:${two((size % minute) / second)} min`;
  return `${sign}${Math.floor(size / hour)}:${two((size % hour) / minute)} h`;
}

const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
