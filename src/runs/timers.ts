import { z } from "zod";
import { type Sql, sql } from "../db/sql.ts";
import { answersById, questionsIn } from "../threads/questions.ts";
import type { JsonText } from "../threads/threads.ts";
import type { RunKwargs } from "./run.ts";

/** How the end of a run changes the timers of its thread's questions. Timers of questions that are in neither list are deleted. */
export interface TimerChange {
  /** The ids of the open questions that this run did not answer. Their timers stay as they are. */
  unanswered: string[];
  /** The ids of the open questions with a time limit, and the number of seconds after which their timers are due. */
  set: { interruptId: string; seconds: number }[];
}

const longestSeconds = 10 * 365 * 86_400;
/** The time limit in a question's value. If the limit is invalid, the question has no time limit. */
const Timed = z.looseObject({ timeoutSeconds: z.number().positive() });

/**
 * Returns how the end of a run changes the timers of its thread's questions. `interrupts` are the questions that are open after the run.
 * `asked` is true if the run succeeded. A run that failed or was cancelled starts no timers.
 */
export function timersAfter({ command, temporary }: RunKwargs, asked: boolean, interrupts: JsonText): TimerChange {
  const open = questionsIn(JSON.parse(interrupts));
  const timed = asked && !temporary ? open : []; // nobody can answer a stateless run
  // The map contains each question only once, because a statement cannot update one row twice.
  const set = new Map(
    timed.flatMap(({ id, value }) => {
      const { data } = Timed.safeParse(value);
      return data ? [[id, Math.min(data.timeoutSeconds, longestSeconds)] as const] : [];
    }),
  );
  return {
    unanswered: open.map(({ id }) => id).filter((id) => !isAnswered(command?.resume, id)),
    set: [...set].map(([interruptId, seconds]) => ({ interruptId, seconds })),
  };
}

/** Tells whether the run answered this question. A node that asks again uses the same id, so its new question needs a new timer. */
function isAnswered(resume: unknown, interruptId: string): boolean {
  if (resume === undefined || resume === null) return false;
  return answersById(resume)?.has(interruptId) ?? true;
}

/**
 * Returns the `with` queries that set the timers. Add them to the statement that ends the run, so that the end and the timers are committed
 * together. That statement must have a query `ended` with the run's row.
 */
export function settingTimers(runId: string, { unanswered, set }: TimerChange): Sql {
  const ids = set.map(({ interruptId }) => interruptId);
  return sql`
    dropped as (
      delete from timers using ended
       where timers.thread_id = ended.thread_id and interrupt_id <> all(${[...unanswered, ...ids]}::text[])),
    timed as (
      insert into timers (thread_id, interrupt_id, run_id, due_at)
      select ended.thread_id, interrupt_id, ${runId}, clock_timestamp() + make_interval(secs => seconds)
        from ended, unnest(${ids}::text[], ${set.map(({ seconds }) => seconds)}::double precision[]) wanted (interrupt_id, seconds)
          on conflict (thread_id, interrupt_id) do update set run_id = excluded.run_id, due_at = excluded.due_at
       where timers.interrupt_id <> all(${unanswered}::text[]))`;
}

/** A `with` query that deletes all timers of the threads in the query `ended`. It is for runs that leave no question open. */
export const droppingTimers: Sql = sql`
    dropped as (
      delete from timers using ended where timers.thread_id = ended.thread_id)`;
