import { largeDocument } from "../db/batched.ts";
import type { Fence } from "../db/fence.ts";
import { sealable, sealableJson } from "../db/sealable.ts";
import { type Db, nothing, prepared, type Sql, sql } from "../db/sql.ts";
import { type OwnedItem, storingItems } from "../letters/report.ts";
import type { JsonText, ThreadState } from "../threads/threads.ts";
import { storingWebhooks } from "../webhooks/webhooks.ts";
import { baseAfter } from "./event-base.ts";
import type { EndStatus } from "./run.ts";
import { withRecord } from "./timeline.ts";
import { droppingTimers, settingTimers, type TimerChange } from "./timers.ts";

/**
 * The reason why the answer to a question was refused, in the fields that the SDK reads. `interrupt_ids` are the given ids that match no
 * open question. `pending_ids` are the ids of the open questions.
 */
export interface AnswerRefusal {
  reason: "unknown_interrupt";
  interrupt_ids: string[];
  pending_ids: string[];
}

export interface RunError extends Partial<AnswerRefusal> {
  error: string;
  message: string;
}

/**
 * Two values that stand for an output that is stored elsewhere, so that it need not be stored twice. `lastValuesEvent` means that the
 * output is the last values event in the run's log. `valuesOfThread` means that the output is the `values` of the run's thread.
 */
export const lastValuesEvent = Symbol("the last values event");
export const valuesOfThread = Symbol("what the thread shows");

/** The outcome with which an attempt ends its run. */
export interface RunEnd {
  status: EndStatus;
  /**
   * The output that `wait` and `join` return: a document, or a mark that says where the output is already stored. Null if there is no
   * output.
   */
  output: JsonText | typeof lastValuesEvent | typeof valuesOfThread | null;
  error: RunError | null;
  /** The version of the graph that the run executed. Null or undefined if it is unknown. */
  graphVersion?: string | null;
  /** The new values of the thread's columns. Columns that are left out keep their values. */
  thread: Partial<ThreadState> | undefined;
  /** Changes to the timers of the thread's questions. Undefined leaves the timers as they are. */
  timers?: TimerChange | undefined;
  /** True if the run has a webhook. */
  webhook?: boolean;
}

/** A run to end, and the outcome with which its attempt ends it. */
export interface EndingRun extends Fence {
  threadId: string;
  end: RunEnd;
  /** The record of the attempt for the run's timeline, as JSON. */
  record?: string | undefined;
  /** The names of the limits in which the run occupies a slot. Null or undefined if there are none. */
  holds?: string[] | null;
  /** The failed items that nodes have reported, and that no step has stored yet. */
  items?: OwnedItem[];
}

/**
 * Ends a run in one statement. The statement stores the run's outcome, the thread's state, the timers and the webhook, and revokes the
 * attempt's right to write. It locks the thread before the run, like every other statement.
 *
 * Returns false if the attempt had already lost the right to write. Also returns false if a caller has meanwhile requested a rollback,
 * because a rollback is carried out even if the run has just finished. An interrupt that arrives so late has no effect.
 */
export async function endRun(db: Db, one: EndingRun): Promise<boolean> {
  const { webhook = false, timers } = one.end;
  const { items = [] } = one;
  const statement = sql`
    with ${ending(alone(one), nothing, webhook)}
    ${webhook ? sql`, ${storingWebhooks(sql`rested`)}` : nothing}
    ${timers ? sql`, ${settingTimers(one.runId, timers)}` : nothing}
    ${items.length > 0 ? sql`, ${storingItems(items, sql`ended`)}` : nothing}
    select 1 from ended`;
  const { rowCount } = await db.query(prepared(`end run ${webhook} ${timers !== undefined} ${items.length > 0}`, statement));
  return rowCount !== 0;
}

/**
 * Tells whether one statement may end this run together with other runs. Returns false if the end has a webhook, failed items, large
 * documents, or timers to keep or start. Also returns false if the run holds a slot of a limit. Ending such a run locks the rows of its
 * slots, so two statements for several runs could deadlock.
 */
export function isPlainEnd({ end: { webhook, timers, output, thread }, record, holds, items = [] }: EndingRun): boolean {
  const documents = [documentOf(output), thread?.values, thread?.interrupts, record];
  const size = documents.reduce((sum, document) => sum + (document?.length ?? 0), 0);
  if (holds || webhook || items.length > 0) return false;
  return timers?.set.length === 0 && timers.unanswered.length === 0 && size <= largeDocument;
}

/**
 * Ends several runs in one statement. All of them must have plain ends (see `isPlainEnd`). Returns for each run whether it was ended. A run
 * on a locked thread is skipped, so that no run waits for the thread of another run. The result for such a run is false as well, so the
 * caller must end it separately.
 */
export async function endRuns(db: Db, ends: EndingRun[]): Promise<boolean[]> {
  const statement = sql`
    with ${ending(inArrays(ends), sql`skip locked`, false)}, ${droppingTimers}
    select run_id as "runId" from ended`;
  const { rows } = await db.query<{ runId: string }>(prepared("end runs", statement));
  const ended = new Set(rows.map(({ runId }) => runId));
  return ends.map(({ runId }) => ended.has(runId));
}

/**
 * Returns the `with` queries that `endRun` and `endRuns` share. The query `ended` selects the ended runs, and the query `rested` selects
 * their threads. `held` is the last part of the clause that locks the threads. It is either `skip locked`, or empty to wait for the locks.
 */
function ending(ends: Sql, held: Sql, withWebhook: boolean): Sql {
  return sql`
    ends (run_id, attempt, thread_id, status, output, output_in_log, output_on_thread, error, graph_version, rests, resting_status,
          has_values, "values", interrupts, record) as (${ends}),
    thread as (
      select held.thread_id
        from (select thread_id from ends order by thread_id) wanted
       cross join lateral (select thread_id from threads where threads.thread_id = wanted.thread_id for no key update ${held}) held),
    ended as (
      update runs
         set status = ends.status, worker_id = null, ended_at = clock_timestamp(), updated_at = now(),
             events_until = now() + make_interval(secs => events_kept_secs),
             asked = coalesce(left(ends.output, 17) = '{"__interrupt__":', false), output = ends.output::json, output_on_thread = ends.output_on_thread,
             output_event = case when output_in_log then (select id from run_events
                                                           where run_events.run_id = runs.run_id and event = 'values' order by id desc limit 1) end,
             error = ends.error::json, graph_version = ends.graph_version, timeline = ${withRecord(sql`ends.record`)}
        from ends join thread using (thread_id)
       where runs.run_id = ends.run_id and runs.attempt = ends.attempt and runs.status = 'running' and cancel is distinct from 'rollback'
      returning ${withWebhook ? sql`runs.*` : sql`runs.run_id, runs.thread_id, runs.event_base`}),
    rested as (
      update threads
         set resting_status = coalesce(ends.resting_status, threads.resting_status),
             "values" = case when has_values then ends."values"::json else threads."values" end,
             interrupts = coalesce(ends.interrupts::json, threads.interrupts),
             graph_version = coalesce(ends.graph_version, threads.graph_version), updated_at = now(),
             event_base = ${baseAfter(sql`ended`)},
             state_updated_at = case when rests then now() else state_updated_at end
        from ended join ends using (run_id)
       where threads.thread_id = ended.thread_id
      returning threads.thread_id ${withWebhook ? sql`, threads."values"` : nothing})`;
}

/** Returns a `select` with one row, for a single run to end. Each value is a separate parameter, because documents may be large. */
function alone({ runId, attempt, threadId, end, record }: EndingRun): Sql {
  const { status, output, error, graphVersion = null, thread } = end;
  return sql`
    select ${runId}::uuid, ${attempt}::integer, ${threadId}::uuid, ${status}::run_status, ${sealedOutput(output)}::text,
           ${output === lastValuesEvent}::boolean, ${output === valuesOfThread}::boolean, ${error && sealableJson("runs.error", error)}::text, ${graphVersion}::text,
           ${thread !== undefined}::boolean, ${thread?.status ?? null}::thread_status, ${thread?.values !== undefined}::boolean,
           ${sealable("threads.values", thread?.values)}::text, ${sealable("threads.interrupts", thread?.interrupts)}::text, ${sealable("runs.timeline", record)}::text`;
}

function inArrays(ends: EndingRun[]): Sql {
  const of = <Value>(part: (end: RunEnd) => Value) => ends.map(({ end }) => part(end));
  return sql`
    select * from unnest(
      ${ends.map(({ runId }) => runId)}::uuid[], ${ends.map(({ attempt }) => attempt)}::integer[], ${ends.map(({ threadId }) => threadId)}::uuid[],
      ${of(({ status }) => status)}::run_status[], ${of(({ output }) => sealedOutput(output))}::text[],
      ${of(({ output }) => output === lastValuesEvent)}::boolean[], ${of(({ output }) => output === valuesOfThread)}::boolean[],
      ${of(({ error }) => error && sealableJson("runs.error", error))}::text[], ${of(({ graphVersion = null }) => graphVersion)}::text[],
      ${of(({ thread }) => thread !== undefined)}::boolean[], ${of(({ thread }) => thread?.status ?? null)}::thread_status[],
      ${of(({ thread }) => thread?.values !== undefined)}::boolean[], ${of(({ thread }) => sealable("threads.values", thread?.values))}::text[],
      ${of(({ thread }) => sealable("threads.interrupts", thread?.interrupts))}::text[], ${ends.map(({ record }) => sealable("runs.timeline", record))}::text[])`;
}

const documentOf = (output: RunEnd["output"]) => (typeof output === "symbol" ? null : output);
const sealedOutput = (output: RunEnd["output"]) => sealable("runs.output", documentOf(output));

/**
 * Deletes a run with its events. If `attempt` is given, deletes the run only if that attempt still has the right to write. The thread does
 * not reuse the numbers of the deleted events, because clients may have seen them.
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
