import { type Db, type Sql, sql } from "../db/sql.ts";
import { storingWebhooks } from "../webhooks/webhooks.ts";
import type { RunError } from "./end.ts";
import { baseAfter, baseBehind } from "./event-base.ts";
import { withEndedAttempt } from "./timeline.ts";

/**
 * Ends runs that their workers should have ended but have not. The query `overdue` selects these runs, at most one for each thread, and
 * locks the runs and their threads. A worker that still executes such a run loses the right to write for it. Returns the ids of the ended
 * runs.
 */
export async function endingUnfinished(db: Db, overdue: Sql, status: "error" | "timeout", reason: RunError): Promise<string[]> {
  const error = JSON.stringify(reason);
  const { rows } = await db.query<{ runId: string }>(sql`
    with overdue as (${overdue}),
    ended as (
      update runs set status = ${status}, worker_id = null, ended_at = now(), updated_at = now(), error = ${error}, timeline = ${withEndedAttempt(sql`${status}::text`)},
                      output = json_build_object('__error__', ${error}::json), events_until = now() + make_interval(secs => events_kept_secs),
                      event_base = coalesce(event_base, (select ${baseBehind} from threads where threads.thread_id = runs.thread_id))
        from overdue where runs.run_id = overdue.run_id
      returning runs.*),
    told as (
      insert into run_events (run_id, id, event, data)
      select run_id, (select coalesce(max(id), -1) + 1 from run_events e where e.run_id = ended.run_id), 'error', ${error} from ended
          on conflict do nothing),
    rested as (
      update threads set resting_status = 'error', updated_at = now(), event_base = ${baseAfter(sql`ended`)} from ended where threads.thread_id = ended.thread_id
      returning threads.thread_id, threads."values"),
    ${storingWebhooks(sql`rested`)}
    select run_id as "runId" from ended`);
  return rows.map((row) => row.runId);
}
