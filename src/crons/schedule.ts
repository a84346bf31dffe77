import { CronPattern, Cron as Pattern } from "croner";

/** The times of a cron's runs: a cron pattern in a time zone, and an optional end. */
export interface Schedule {
  schedule: string;
  timezone: string | null;
  end_time: Date | null;
}

/** Returns the schedule's first time after `after`. Returns null if there is none, or if it is later than `end_time`. */
export function nextTick({ schedule, timezone, end_time }: Schedule, after: Date): Date | null {
  const next = new Pattern(timesOfDay(schedule), { timezone: timezone ?? "UTC", mode, fixedTimeRule: "no-wildcard" }).nextRun(after);
  return next && (end_time === null || next <= end_time) ? next : null;
}

const mode = "5-part";

/**
 * Returns a schedule with its minutes and hours written as lists of numbers, such as `0 9,10` for `0 9-10`. The library Croner then treats
 * them as fixed times of day, which matters on the days on which the clock changes. If the clock skips such a time, Croner fires later. If
 * the time occurs twice, Croner fires once. A schedule whose hours contain `*` or `?` is returned unchanged, because its runs follow an
 * interval and not a time of day.
 */
function timesOfDay(schedule: string): string {
  const [, hours = "", ...days] = schedule.trim().split(/\s+/);
  if (/[*?]/.test(hours)) return schedule;
  const { minute, hour } = new CronPattern(schedule, undefined, { mode });
  return [listed(minute), listed(hour), ...days].join(" ");
}

const listed = (part: number[]) => part.flatMap((isListed, number) => (isListed ? number : [])).join();

/** Returns a sentence about the error in a cron pattern, or undefined if the pattern is valid. */
export function faultOfPattern(schedule: string): string | undefined {
  const fields = schedule.trim().split(/\s+/);
  if (fields.length !== 5) return 'expected five fields, "minute hour day month weekday"; the shortest interval is one minute';
  try {
    const neverFires = nextTick({ schedule, timezone: null, end_time: null }, new Date()) === null;
    return neverFires ? "no date matches these five fields" : undefined;
  } catch (error) {
    return `is not a cron pattern: ${error instanceof Error ? error.message.replace(/^CronPattern: /, "") : error}`;
  }
}

/** Tells whether a text is the name of a time zone. An offset such as +02:00 is refused, because it ignores daylight saving time. */
export function isTimezone(name: string): boolean {
  try {
    return /^[a-z]/i.test(name) && new Intl.DateTimeFormat("en", { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}
