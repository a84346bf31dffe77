import { type Sql, sql } from "../db/sql.ts";

/**
 * How many event numbers each logged event occupies. A client of the event streaming protocol may get several events for one logged event,
 * and each of them needs a number of its own.
 */
export const numbersPerEvent = 1024;

/**
 * A number of logged events that no run ever reaches. The number is small enough that a thread's event numbers stay exact JavaScript
 * integers, even after thousands of runs.
 */
const mostLogged = 2 ** 26;

/**
 * How many event numbers are reserved for the events that the protocol sends when a run ends. There may be many such events, because each
 * task may end with a question.
 */
export const numbersForEnd = 1_000 * numbersPerEvent;

/**
 * Returns an SQL expression for the new `event_base` of a thread at the end of a run. This is the first event number of the thread's next
 * run. Use it in an update of `threads`. `run` names a row with the `run_id` and `event_base` of the ended run.
 *
 * The result is higher than all event numbers that the ended run has logged. It also leaves room for that run's end events, and for a batch
 * that an interrupted attempt may still store.
 */
export function baseAfter(run: Sql): Sql {
  return sql`greatest(threads.event_base, ${run}.event_base
    + (select coalesce(max(id), -1) + ${room}::bigint from run_events where run_events.run_id = ${run}.run_id) * ${numbersPerEvent})`;
}

/**
 * An SQL expression for the first event number (`event_base`) of a run that ends before it starts. Such a run needs only the numbers of one
 * event. They come after all numbers that the thread has used, and after all numbers that a started run may still use. The statement must
 * hold the thread's lock.
 */
export const baseBehind = sql`greatest(threads.event_base,
  (select max(begun.event_base) + ${mostLogged}::bigint * ${numbersPerEvent} from runs begun
    where begun.thread_id = threads.thread_id and begun.status in ('pending', 'running')))`;

/**
 * The number of events for which a run keeps numbers free after its last stored event. An attempt may still store one batch of at most a
 * thousand events, and the end of the run needs another thousand.
 */
const room = 2_048;
