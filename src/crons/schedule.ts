import { CronPattern, Cron as Pattern } from "croner";

/** When something is to happen: a cron pattern, read in a time zone, up to an end. */
export interface Schedule {
  schedule: string;
  timezone: string | null;
  end_time: Date | null;
}

/** The first time of the schedule after `after`, or null when there is none any more. The end itself is still in time. */
export function nextTick({ schedule, timezone, end_time }: Schedule, after: Date): Date | null {
  const next = new Pattern(timesOfDay(schedule), { timezone: timezone ?? "UTC", mode, fixedTimeRule: "no-wildcard" }).nextRun(after);
  return next && (end_time === null || next <= end_time) ? next : null;
}

const mode = "5-part";

/**
 * A schedule that names hours means times of day: one that the clock skips is made up for, one that it shows twice is done once. Croner takes
 * it for such when the minutes are named as well, so here they are. One of every hour, or every other, just goes on by the clock.
 */
function timesOfDay(schedule: string): string {
  const [, hours = "", ...days] = schedule.trim().split(/\s+/);
  if (/[*?]/.test(hours)) return schedule;
  const { minute, hour } = new CronPattern(schedule, undefined, { mode });
  return [listed(minute), listed(hour), ...days].join(" ");
}

const listed = (part: number[]) => part.flatMap((isNamed, number) => (isNamed ? number : [])).join();

/** What is wrong with a pattern, or undefined. */
export function faultOfPattern(schedule: string): string | undefined {
  const fields = schedule.trim().split(/\s+/);
  if (fields.length !== 5) return 'expected five fields, "minute hour day month weekday"; there is nothing more often than every minute';
  try {
    const never = nextTick({ schedule, timezone: null, end_time: null }, new Date()) === null;
    return never ? "these five fields never come true together" : undefined;
  } catch (error) {
    return `is no cron pattern: ${error instanceof Error ? error.message.replace(/^CronPattern: /, "") : error}`;
  }
}

/** Whether it is a zone by name. An offset is none: it knows no summer. */
export function isTimezone(name: string): boolean {
  try {
    return /^[a-z]/i.test(name) && new Intl.DateTimeFormat("en", { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}
