import { z } from "zod";
import { type Sql, sql } from "../db/sql.ts";
import { answersById, questionsIn } from "../threads/questions.ts";
import type { JsonText } from "../threads/threads.ts";
import type { RunKwargs } from "./run.ts";

/** How the end of a run changes the timers of its thread. All other timers are deleted. */
export interface TimerChange {
  /** Questions that this run did not answer. Their timers stay. */
  unanswered: string[];
  /** Open questions with a time limit. */
  set: { interruptId: string; seconds: number }[];
}

const longestSeconds = 10 * 365 * 86_400;
/** An invalid time limit is ignored. */
const Timed = z.looseObject({ timeoutSeconds: z.number().positive() });

/** Returns the timers after a run that leaves these interrupts. A run that failed or was cancelled asks nothing. */
export function timersAfter({ command, temporary }: RunKwargs, asked: boolean, interrupts: JsonText): TimerChange {
  const open = questionsIn(JSON.parse(interrupts));
  const timed = asked && !temporary ? open : []; // a stateless run cannot be answered
  // Each id once, because a statement cannot set one row twice.
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

/** Returns whether the run answered this question. A node that asks again uses the same id, but its question has a new time limit. */
function isAnswered(resume: unknown, interruptId: string): boolean {
  if (resume === undefined || resume === null) return false;
  return answersById(resume)?.has(interruptId) ?? true;
}

/** Continues the statement that ends a run (`ended` has its row), so that a question is never open without its timer. */
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

/** Deletes all timers, for runs that leave no question. */
export const droppingTimers: Sql = sql`
    dropped as (
      delete from timers using ended where timers.thread_id = ended.thread_id)`;
