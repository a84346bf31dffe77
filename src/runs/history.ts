import { type Db, sql } from "../db/sql.ts";
import type { EndStatus } from "./run.ts";

/**
 * The number of runs that were created in a minute, and the number that ended with each status. `at` is the start of the minute. Deleted
 * runs are not counted.
 */
export type RunMinute = { at: Date; created: number } & Record<EndStatus, number>;

export interface RunHistory {
  /** The minutes in which at least one run was created or ended, the oldest first. */
  minutes: RunMinute[];
  /** The time of the count by the database's clock. */
  now: Date;
}

const minutesShown = 60;
/** The number of milliseconds for which all callers get the same result. */
const freshMs = 2_000;
const minuteMs = 60_000;

/**
 * Returns a function that counts the runs of the last hour, minute by minute. The counts of past minutes are cached, so that frequent calls
 * cost little. A minute is counted once more after it has ended, because the cached count may be from before its end.
 */
export function runHistory(db: Db): () => Promise<RunHistory> {
  let last: { reading: Promise<RunHistory>; at: number } | undefined;
  let kept: RunHistory | undefined;
  const read = async (): Promise<RunHistory> => {
    const ageMinutes = kept ? Math.ceil((performance.now() - (last?.at ?? 0)) / minuteMs) : minutesShown;
    const { now, minutes } = await countMinutes(db, Math.min(minutesShown, ageMinutes + 1));
    const since = startOfMinute(now) - Math.min(minutesShown, ageMinutes + 1) * minuteMs;
    const first = startOfMinute(now) - minutesShown * minuteMs;
    const old = kept?.minutes.filter(({ at }) => at.getTime() < since && at.getTime() >= first) ?? [];
    kept = { now, minutes: [...old, ...minutes] };
    return kept;
  };
  return () => {
    if (last && performance.now() - last.at <= freshMs) return last.reading;
    const reading = read();
    reading.catch(() => {
      last = undefined; // the next call reads again
      kept = undefined;
    });
    last = { reading, at: performance.now() };
    return reading;
  };
}

const startOfMinute = (time: Date) => Math.floor(time.getTime() / minuteMs) * minuteMs;

/**
 * Counts the runs of the last `minutes` minutes. The index on `updated_at` finds the runs that have ended in this time, because a run's
 * last change is never before its end.
 */
async function countMinutes(db: Db, minutes: number): Promise<RunHistory> {
  const { rows } = await db.query<{ now: Date; minutes: (Omit<RunMinute, "at"> & { at: string })[] }>(sql`
    with first as (select date_trunc('minute', now()) - make_interval(mins => ${minutes}) as at),
         facts as (
      select date_trunc('minute', created_at) as at, null::run_status as ended from runs where created_at >= (select at from first)
      union all
      select date_trunc('minute', ended_at), status from runs
       where updated_at >= (select at from first) and ended_at >= (select at from first)),
         counted as (
      select at, count(*) filter (where ended is null) as created,
             count(*) filter (where ended = 'success') as success, count(*) filter (where ended = 'error') as error,
             count(*) filter (where ended = 'timeout') as timeout, count(*) filter (where ended = 'interrupted') as interrupted
        from facts group by at)
    select now(), coalesce((select json_agg(counted order by at) from counted), '[]') as minutes`);
  const [{ now, minutes: counted } = { now: new Date(), minutes: [] }] = rows;
  return { now, minutes: counted.map((minute) => ({ ...minute, at: new Date(minute.at) })) };
}
