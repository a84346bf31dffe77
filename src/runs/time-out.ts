import type { Pool } from "pg";
import type { User } from "../auth/user.ts";
import { concernsAllStatements } from "../db/failure.ts";
import { newId } from "../db/ids.ts";
import { everything } from "../db/scope.ts";
import { type Db, sql, transaction } from "../db/sql.ts";
import { questionsIn } from "../threads/questions.ts";
import { findThread } from "../threads/threads.ts";
import { onBehalfOf } from "./caller.ts";
import type { NewRun } from "./create.ts";
import { type Json, type RunKwargs, withoutCheckpoint } from "./run.ts";
import { submitWithin } from "./submit.ts";

/** A question whose time limit has passed, and the run that asked it. */
interface DueQuestion {
  threadId: string;
  interruptId: string;
  assistantId: string;
  metadata: Json;
  kwargs: RunKwargs;
  user: User | null;
  traceparent: string | null;
  eventRetentionSeconds: number;
  priority: number;
  queueKey: string | null;
}

/** The result of `timeOutQuestion`: the thread of the question, and an error if the run that continues the thread could not be created. */
export interface TimedOut {
  threadId: string;
  error?: Error;
}

/**
 * Handles one question whose time limit has passed. Deletes the question's timer, and creates a run that continues without an answer. Both
 * happen in one transaction that holds the thread's lock, so that no other process and no answer can interfere. If the thread is busy, its
 * questions are handled later. If the run cannot be created, postpones the timers of this thread, so that the questions of other threads
 * get their turn. Returns undefined if no question is due. Otherwise, the caller must notify the claim topic.
 */
export async function timeOutQuestion(pool: Pool): Promise<TimedOut | undefined> {
  let threadId: string | undefined;
  try {
    await transaction(pool, async (tx) => {
      threadId = await holdDueThread(tx);
      const due = threadId === undefined ? undefined : await takeDueTimer(tx, threadId);
      // An update of the state or a cancelled run may have closed the question meanwhile. In that case, only the timer is deleted.
      if (due && (await isOpen(tx, due))) await submitWithin(tx, { caller: onBehalfOf(due.user), run: runWithoutAnswer(due) });
    });
    return threadId === undefined ? undefined : { threadId };
  } catch (error) {
    if (threadId === undefined || concernsAllStatements(error)) throw error;
    await postpone(pool, threadId);
    return { threadId, error: error as Error };
  }
}

/** Makes the due timers of a thread due again in a minute. */
async function postpone(db: Db, threadId: string): Promise<void> {
  await db.query(sql`
    update timers set due_at = now() + interval '1 minute' where thread_id = ${threadId} and due_at <= now()`);
}

const isBusy = sql`exists (select from runs where runs.thread_id = timers.thread_id and runs.status in ('pending', 'running'))`;

async function holdDueThread(tx: Db): Promise<string | undefined> {
  const { rows } = await tx.query<{ threadId: string }>(sql`
    select thread_id as "threadId" from timers join threads using (thread_id)
     where due_at <= now() and not ${isBusy}
     order by due_at limit 1 for no key update of threads skip locked`);
  return rows[0]?.threadId;
}

/**
 * Deletes a due timer of the thread, and returns its question. Returns undefined if another process deleted the timer before the thread was
 * locked.
 */
async function takeDueTimer(tx: Db, threadId: string): Promise<DueQuestion | undefined> {
  const { rows } = await tx.query<DueQuestion>(sql`
    delete from timers using runs asker
     where timers.thread_id = ${threadId} and asker.run_id = timers.run_id and not ${isBusy}
       and interrupt_id = (select interrupt_id from timers first where first.thread_id = ${threadId} and first.due_at <= now()
                            order by first.due_at limit 1)
    returning timers.thread_id as "threadId", interrupt_id as "interruptId", asker.assistant_id as "assistantId", asker.metadata,
              asker.kwargs, asker.auth_user as "user", asker.traceparent, asker.events_kept_secs as "eventRetentionSeconds", asker.priority, asker.queue_key as "queueKey"`);
  return rows[0];
}

async function isOpen(tx: Db, { threadId, interruptId }: DueQuestion): Promise<boolean> {
  const thread = await findThread(tx, everything, threadId);
  return thread?.status === "interrupted" && questionsIn(thread.interrupts).some(({ id }) => id === interruptId);
}

/**
 * Returns a copy of the run that asked the question. In place of the run's input, the copy has an answer that reports the timeout. The copy
 * starts from the newest checkpoint.
 */
function runWithoutAnswer(due: DueQuestion): NewRun {
  const { threadId, interruptId, assistantId, metadata, kwargs, eventRetentionSeconds, priority, queueKey, traceparent } = due;
  const { temporary, ...asked } = kwargs;
  return {
    runId: newId(),
    threadId,
    assistantId,
    createThread: false,
    keepThread: true,
    metadata: { ...metadata, timed_out: interruptId },
    multitaskStrategy: "enqueue",
    afterSeconds: 0,
    eventRetentionSeconds,
    priority,
    queueKey,
    traceparent,
    kwargs: { ...asked, input: null, command: { resume: { [interruptId]: { timedOut: true } } }, config: withoutCheckpoint(asked.config) },
  };
}
