import { type Sql, sql } from "../db/sql.ts";

/**
 * How many event numbers each logged event takes. Clients of the event streaming protocol may get several events for one logged event,
 * and each needs a number.
 */
export const numbersPerEvent = 1024;

/**
 * A number of events that no run ever reaches. It is low enough that the event numbers of a thread stay exact in JavaScript over
 * thousands of such runs.
 */
const mostLogged = 2 ** 26;

/** How many numbers are reserved for the protocol events at a run's end, for example one question for each task. */
export const numbersForEnd = 1_000 * numbersPerEvent;

/**
 * Returns an SQL expression for the first event number (`event_base`) that a thread's next run gets when a run has ended. Use it in an
 * update of `threads`. `run` names a row with the `run_id` and `event_base` of the ended run.
 *
 * The number is higher than those of all events that the ended run has logged. It also leaves room for that run's end events, and for a
 * batch that an interrupted attempt may still store.
 */
export function baseAfter(run: Sql): Sql {
  return sql`greatest(threads.event_base, ${run}.event_base
    + (select coalesce(max(id), -1) + ${room}::bigint from run_events where run_events.run_id = ${run}.run_id) * ${numbersPerEvent})`;
}

/**
 * An SQL expression for the first event number (`event_base`) of a run that ends before it starts. Such a run needs only the numbers of
 * one event. They are higher than all numbers that the thread has used or that a started run may still use. The statement must hold the
 * thread's lock.
 */
export const baseBehind = sql`greatest(threads.event_base,
  (select max(begun.event_base) + ${mostLogged}::bigint * ${numbersPerEvent} from runs begun
    where begun.thread_id = threads.thread_id and begun.status in ('pending', 'running')))`;

/**
 * How many more events a run's numbers leave room for after its last stored event. An attempt may still store one batch of at most a
 * thousand events. The events of the run's end need another thousand.
 */
const room = 2_048;
