import type { Schemas } from "../../api.ts";

const minuteMs = 60_000;

/**
 * The runs of the last hour, minute by minute. Minutes without runs have zeros. Times are in seconds, because the chart expects seconds.
 */
export interface Hour {
  times: number[];
  created: number[];
  succeeded: number[];
  failed: number[];
}

/** Returns the last hour, with zeros for the minutes that the statistics lack. */
export function hourOf({ now, minutes }: Schemas["RunStats"]): Hour {
  const byTime = new Map(minutes.map((minute) => [Date.parse(minute.at), minute]));
  const last = Math.floor(Date.parse(now) / minuteMs) * minuteMs;
  const times = Array.from({ length: 61 }, (_, step) => last - (60 - step) * minuteMs);
  const found = times.map((time) => byTime.get(time));
  return {
    times: times.map((time) => time / 1_000),
    created: found.map((minute) => minute?.created ?? 0),
    succeeded: found.map((minute) => minute?.success ?? 0),
    failed: found.map((minute) => (minute ? minute.error + minute.timeout : 0)),
  };
}

export const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

/** Returns the number of runs that succeeded or failed in the last full minute, per second or per minute, whichever is easier to read. */
export function rateOf({ succeeded, failed }: Hour): { value: string; unit: string } {
  const perMinute = (succeeded.at(-2) ?? 0) + (failed.at(-2) ?? 0);
  if (perMinute < 6) return { value: String(perMinute), unit: "/min" };
  const perSecond = perMinute / 60;
  return { value: perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond)), unit: "/s" };
}
