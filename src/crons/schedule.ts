import { CronPattern, Cron as Pattern } from "croner";

/** When a cron's runs start: a cron pattern in a time zone, until an end. */
export interface Schedule {
  schedule: string;
  timezone: string | null;
  end_time: Date | null;
}

/** Returns the first time of the schedule after `after`, or null if there is none. A time equal to the end still counts. */
export function nextTick({ schedule, timezone, end_time }: Schedule, after: Date): Date | null {
  const next = new Pattern(timesOfDay(schedule), { timezone: timezone ?? "UTC", mode, fixedTimeRule: "no-wildcard" }).nextRun(after);
  return next && (end_time === null || next <= end_time) ? next : null;
}

const mode = "5-part";

/**
 * Returns the schedule with its minutes and hours written out, if it names hours. Croner, the library, then reads them as times of day. It
 * makes up for a time that the clock skips, and fires only once at a time that the clock repeats. A pattern for every hour, or every other
 * hour, simply follows the clock.
 */
function timesOfDay(schedule: string): string {
  const [, hours = "", ...days] = schedule.trim().split(/\s+/);
  if (/[*?]/.test(hours)) return schedule;
  const { minute, hour } = new CronPattern(schedule, undefined, { mode });
  return [listed(minute), listed(hour), ...days].join(" ");
}

const listed = (part: number[]) => part.flatMap((isListed, number) => (isListed ? number : [])).join();

/** Returns what is wrong with a cron pattern, or undefined if it is valid. */
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

/** Returns whether a text names a time zone. An offset such as +02:00 is not accepted, because it has no daylight saving time. */
export function isTimezone(name: string): boolean {
  try {
    return /^[a-z]/i.test(name) && new Intl.DateTimeFormat("en", { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}
