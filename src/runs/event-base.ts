import { type Sql, sql } from "../db/sql.ts";

/** How many numbers each logged event reserves for the protocol events that are made from it. */
export const numbersPerEvent = 1024;

/**
 * A limit that no run's event count will reach. It is also small enough to keep numbers exact over thousands of such runs on one thread.
 */
const mostLogged = 2 ** 26;

/** How many numbers are reserved for the protocol events at a run's end, such as one question for each task. */
export const numbersForEnd = 1_000 * numbersPerEvent;

/**
 * Returns an expression for the event base of a thread's next run, once a run is over. It is used in an update of threads, and `run` names
 * a row with `run_id` and `event_base`.
 *
 * The new base lies past all events that the run has logged. It leaves room for the events of the run's end, and for a batch that an
 * interrupted attempt is still storing.
 */
export function baseAfter(run: Sql): Sql {
  return sql`greatest(threads.event_base, ${run}.event_base
    + (select coalesce(max(id), -1) + ${room}::bigint from run_events where run_events.run_id = ${run}.run_id) * ${numbersPerEvent})`;
}

/**
 * An expression for the event base of a run that ends before it starts. The run needs the numbers of one event. The base lies past
 * everything that the thread has sent, and past everything that a started run may still log. The statement must hold the thread's lock.
 */
export const baseBehind = sql`greatest(threads.event_base,
  (select max(begun.event_base) + ${mostLogged}::bigint * ${numbersPerEvent} from runs begun
    where begun.thread_id = threads.thread_id and begun.status in ('pending', 'running')))`;

/**
 * The events that may follow the last logged one. An attempt stores one batch at a time, with at most a thousand events. The end of the run
 * has the numbers of a thousand more.
 */
const room = 2_048;
