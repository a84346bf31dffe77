import type { Scope } from "../db/scope.ts";
import { type Db, sql } from "../db/sql.ts";
import { storingWebhooks } from "../webhooks/webhooks.ts";
import { baseBehind, numbersPerEvent } from "./event-base.ts";
import type { CancelAction } from "./run.ts";

/**
 * Cancels the open runs of threads, or only those that are in `runIds`. Returns the number of cancelled runs.
 * - A run that never started ends immediately. With "rollback", it is deleted. With "interrupt", it gets an event number, so that
 *   subscribers of its thread see its end.
 * - A run that has started is only marked as cancelled. The worker that executes it then stops it. If that worker is gone, the next worker
 *   that claims the run stops it.
 *
 * Call this in a transaction that holds the locks of the threads. After the commit, notify the cancel topic and the claim topic.
 */
export async function cancelOpenRuns(tx: Db, threadIds: string[], action: CancelAction, runIds?: string[]): Promise<number> {
  const target = sql`thread_id = any(${threadIds}::uuid[]) and (${runIds ?? null}::uuid[] is null or run_id = any(${runIds ?? null}::uuid[]))`;
  const neverStarted = sql`${target} and status = 'pending' and attempt = 0`;
  const ended =
    action === "rollback"
      ? await tx.query(sql`delete from runs where ${neverStarted}`)
      : await tx.query(sql`
          with placed as (
            select run_id, ${baseBehind} + (row_number() over (partition by thread_id order by seq) - 1) * ${numbersPerEvent} as base
              from runs join threads using (thread_id)
             where ${neverStarted}),
          ended as (
            update runs set status = 'interrupted', ended_at = now(), updated_at = now(), event_base = placed.base,
                            events_until = now() + make_interval(secs => events_kept_secs)
              from placed
             where runs.run_id = placed.run_id and status = 'pending' and attempt = 0
            returning runs.*),
          passed as (
            update threads set event_base = past.base
              from (select thread_id, max(event_base) + ${numbersPerEvent} as base from ended group by thread_id) past
             where threads.thread_id = past.thread_id),
          ${storingWebhooks(sql`threads`)}
          select 1 from ended`);
  // A rollback replaces an earlier interrupt. An interrupt never replaces a rollback, because the rollback may already be deleting the run.
  const asked = await tx.query(sql`
    update runs set cancel = ${action}::cancel_action, updated_at = now(), run_at = least(run_at, now())
     where ${target} and status in ('pending', 'running') and cancel is distinct from 'rollback'`);
  return (ended.rowCount ?? 0) + (asked.rowCount ?? 0);
}

/**
 * Returns the ids of the open runs that match `which`, with the ids of their threads. The runs are sorted by thread, so that all callers
 * lock threads in the same order and no deadlock arises.
 */
export async function findOpenRuns(
  db: Db,
  scope: Scope,
  which: { threadId?: string; runIds?: string[]; status: "pending" | "running" | "all" },
): Promise<{ runId: string; threadId: string }[]> {
  const { rows } = await db.query<{ runId: string; threadId: string }>(sql`
    select run_id as "runId", thread_id as "threadId" from runs join threads using (thread_id)
     where ${scope.visible(sql`threads.metadata`)} and status in ('pending', 'running')
       and (${which.status} = 'all' or status::text = ${which.status})
       and (${which.threadId ?? null}::uuid is null or thread_id = ${which.threadId ?? null}::uuid)
       and (${which.runIds ?? null}::uuid[] is null or run_id = any(${which.runIds ?? null}::uuid[]))
     order by thread_id, seq`);
  return rows;
}
