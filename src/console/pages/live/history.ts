import type { Schemas } from "../../api.ts";

const minuteMs = 60_000;

/** The last hour in steps of a minute. A minute without runs has zeros. Times are in seconds, as the chart wants them. */
export interface Hour {
  times: number[];
  created: number[];
  succeeded: number[];
  failed: number[];
}

/** Fills the minutes in which nothing happened. */
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

/** Returns how many runs ended in the last full minute, in the unit that reads best. */
export function rateOf({ succeeded, failed }: Hour): { value: string; unit: string } {
  const perMinute = (succeeded.at(-2) ?? 0) + (failed.at(-2) ?? 0);
  if (perMinute < 6) return { value: String(perMinute), unit: "/min" };
  const perSecond = perMinute / 60;
  return { value: perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond)), unit: "/s" };
}
