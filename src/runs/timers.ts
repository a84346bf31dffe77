import { z } from "zod";
import { type Sql, sql } from "../db/sql.ts";
import { answersById, questionsIn } from "../threads/questions.ts";
import type { JsonText } from "../threads/threads.ts";
import type { RunKwargs } from "./run.ts";

/** What the end of a run means for the timers of its thread. All others go. */
export interface TimerChange {
  /** Questions that this run did not answer: what runs for them runs on. */
  unanswered: string[];
  /** Questions that are open now and do not wait for ever. */
  set: { interruptId: string; seconds: number }[];
}

const longestSeconds = 10 * 365 * 86_400;
/** A time that makes no sense is none. */
const Timed = z.looseObject({ timeoutSeconds: z.number().positive() });

/** The timers after a run that leaves these interrupts. One that failed or was cancelled has asked nobody. */
export function timersAfter({ command, temporary }: RunKwargs, asked: boolean, interrupts: JsonText): TimerChange {
  const open = questionsIn(JSON.parse(interrupts));
  const timed = asked && !temporary ? open : []; // nobody sees what becomes of a stateless run that asked
  // By id, each once: a statement cannot set one row twice.
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

/** Of a node that asks again the id is the same: what was answered is then another question, with a time of its own. */
function isAnswered(resume: unknown, interruptId: string): boolean {
  if (resume === undefined || resume === null) return false;
  return answersById(resume)?.has(interruptId) ?? true;
}

/** Continues the statement that ends a run, whose row `ended` has: in no moment is a question open without its timer. */
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

/** The same for runs that leave no question and whose threads had none: there is none now, whatever there was. */
export const droppingTimers: Sql = sql`
    dropped as (
      delete from timers using ended where timers.thread_id = ended.thread_id)`;
