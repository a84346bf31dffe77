import { type Sql, sql } from "../db/sql.ts";

/** Numbers that each logged event reserves for the protocol events made from it. */
export const numbersPerEvent = 1024;

/** More events than a run will ever log. Few enough for numbers to stay exact over thousands of such runs on one thread. */
const mostLogged = 2 ** 26;

/** How many event numbers are reserved for the protocol events of a run's end, such as one question for each task. */
export const numbersForEnd = 1_000 * numbersPerEvent;

/**
 * Selects the base of a thread's next run when a run is over. It lies past all that the run has logged, with room for the events of its
 * end, and for a batch that an interrupted attempt is still storing. For an update of threads. `run` names a row with run_id and event_base.
 */
export function baseAfter(run: Sql): Sql {
  return sql`greatest(threads.event_base, ${run}.event_base
    + (select coalesce(max(id), -1) + ${room}::bigint from run_events where run_events.run_id = ${run}.run_id) * ${numbersPerEvent})`;
}

/**
 * Selects the base of a run that ends before it began. It lies past everything that its thread has sent or that a started run may still
 * log. For a statement that holds the thread. The run takes the numbers of one event.
 */
export const baseBehind = sql`greatest(threads.event_base,
  (select max(begun.event_base) + ${mostLogged}::bigint * ${numbersPerEvent} from runs begun
    where begun.thread_id = threads.thread_id and begun.status in ('pending', 'running')))`;

/** A batch has at most a thousand events and an attempt stores one batch at a time. The end has the numbers of a thousand more. */
const room = 2_048;
