import type { Fence } from "../db/fence.ts";
import { type Db, nothing, prepared, sql } from "../db/sql.ts";
import type { JsonText, ThreadState } from "../threads/threads.ts";
import { storingWebhooks } from "../webhooks/webhooks.ts";
import { baseAfter } from "./event-base.ts";
import type { RunStatus } from "./run.ts";
import { settingTimers, type TimerChange } from "./timers.ts";

export interface RunError {
  error: string;
  message: string;
}

export const lastValuesEvent = Symbol("the last values event");
export const valuesOfThread = Symbol("what the thread shows");

const newestValues = (runId: string) =>
  sql`(select id from run_events where run_id = ${runId} and event = 'values' order by id desc limit 1)`;

/** How an attempt ended its run. */
export interface RunEnd {
  status: Exclude<RunStatus, "pending" | "running">;
  /** What wait and join answer: a document, or where it stands already: the last values event that the run has logged, or its thread. */
  output: JsonText | typeof lastValuesEvent | typeof valuesOfThread | null;
  error: RunError | null;
  /** Which version of the graph ran. */
  graphVersion?: string | null;
  /** What the run leaves on its thread; what is not given stays as it is. */
  thread: Partial<ThreadState> | undefined;
  /** Without, the thread's timers stay as they are. */
  timers?: TimerChange | undefined;
  /** Whether somebody is to be told. */
  webhook?: boolean;
}

/**
 * Ends a run: its status, the thread's state and the right to write, in one statement. It decides about the run and so stands here,
 * though it writes the thread's row, its timers and its webhook too. The thread is locked first, as everyone does. False when the right
 * is lost, or when a rollback was accepted meanwhile: that one is always carried out, while an interrupt that comes too late changes
 * nothing.
 */
export async function endRun(
  db: Db,
  { runId, attempt }: Fence,
  threadId: string,
  { status, output, error, thread, timers, webhook = false, graphVersion = null }: RunEnd,
): Promise<boolean> {
  const statement = sql`
    with thread as (select thread_id from threads where thread_id = ${threadId} for no key update),
    ended as (
      update runs
         set status = ${status}, worker_id = null, ended_at = clock_timestamp(), updated_at = now(),
             events_until = now() + make_interval(secs => events_kept_secs),
             output = ${typeof output === "symbol" ? null : output}, output_on_thread = ${output === valuesOfThread},
             output_event = ${output === lastValuesEvent ? newestValues(runId) : sql`null`},
             error = ${error ? JSON.stringify(error) : null}, graph_version = ${graphVersion}
        from thread
       where run_id = ${runId} and attempt = ${attempt} and status = 'running' and cancel is distinct from 'rollback'
      returning ${webhook ? sql`runs.*` : sql`runs.run_id, runs.thread_id, runs.event_base`}),
    rested as (
      update threads
         set resting_status = coalesce(${thread?.status ?? null}::thread_status, resting_status),
             "values" = case when ${thread?.values !== undefined} then ${thread?.values ?? null}::json else "values" end,
             interrupts = coalesce(${thread?.interrupts ?? null}::json, interrupts),
             graph_version = coalesce(${graphVersion}, threads.graph_version), updated_at = now(),
             event_base = ${baseAfter(sql`ended`)},
             state_updated_at = case when ${thread !== undefined} then now() else state_updated_at end
        from ended
       where threads.thread_id = ended.thread_id
      ${webhook ? sql`returning threads.thread_id, threads."values"` : nothing})
    ${webhook ? sql`, ${storingWebhooks(sql`rested`)}` : nothing}
    ${timers ? sql`, ${settingTimers(runId, timers)}` : nothing}
    select 1 from ended`;
  const { rowCount } = await db.query(prepared(`end run ${webhook} ${timers !== undefined} ${output === lastValuesEvent}`, statement));
  return rowCount !== 0;
}

/**
 * Deletes a run, with its events. Given an attempt, only if that one still holds the right. The numbers that its events had are not
 * given to others, because somebody may have seen them.
 */
export async function deleteRunRow(db: Db, threadId: string, runId: string, attempt?: number): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    with gone as (
      delete from runs
       where run_id = ${runId} and thread_id = ${threadId}
         and (${attempt ?? null}::integer is null or (attempt = ${attempt ?? null} and status = 'running'))
      returning run_id, thread_id, event_base),
    counted as (
      update threads set event_base = ${baseAfter(sql`gone`)}
        from gone where threads.thread_id = gone.thread_id and gone.event_base is not null)
    select 1 from gone`);
  return rowCount !== 0;
}
