import { type Sql, sql } from "../db/sql.ts";

/** How many numbers each logged event has for the events that are told for it. */
export const numbersPerEvent = 1024;

/** More events than a run will ever log, and few enough for numbers to stay exact over thousands of such runs on one thread. */
const mostLogged = 2 ** 26;

/** How many numbers there are for what the end of a run is told by: a question for each of its tasks, say. */
export const numbersForEnd = 1_000 * numbersPerEvent;

/**
 * The base of a thread's next run, once a run is over: past all that the run has logged, with room for what its end is told by, and for
 * a batch that is being stored by an attempt that is cut short. For an update of threads; `run` names a row with run_id and event_base.
 */
export function baseAfter(run: Sql): Sql {
  return sql`greatest(threads.event_base, ${run}.event_base
    + (select coalesce(max(id), -1) + ${room}::bigint from run_events where run_events.run_id = ${run}.run_id) * ${numbersPerEvent})`;
}

/**
 * The base of a run that ends without having begun: behind what its thread has told, and whatever a run that has begun may yet log. For a
 * statement that holds the thread; its run takes the numbers of one event.
 */
export const baseBehind = sql`greatest(threads.event_base,
  (select max(begun.event_base) + ${mostLogged}::bigint * ${numbersPerEvent} from runs begun
    where begun.thread_id = threads.thread_id and begun.status in ('pending', 'running')))`;

/** A batch has at most a thousand events, an attempt stores one at a time, and the end has the numbers of a thousand more. */
const room = 2_048;
