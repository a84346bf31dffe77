import type { User } from "../auth/user.ts";
import { sealableJson } from "../db/sealable.ts";
import { type Db, prepared, type Sql, sql } from "../db/sql.ts";
import { insertingThread, insertingThreads } from "../threads/threads.ts";
import { hostOf } from "../webhooks/webhook-rules.ts";
import { answersQuestion, type Json, type MultitaskStrategy, type Run, type RunKwargs, runColumns } from "./run.ts";

/** A run to insert, as the values of its row's columns. */
export interface RunRow {
  runId: string;
  threadId: string;
  assistantId: string;
  graphId: string;
  multitaskStrategy: MultitaskStrategy;
  metadata: Json;
  kwargs: RunKwargs;
  afterSeconds: number;
  eventRetentionSeconds: number;
  user: User | null;
  priority: number;
  queueKey: string | null;
  /**
   * The rank that decides the run's place in the queue. Null for a run without a queue key and for a delayed run, whose places the database
   * decides.
   */
  turn: number | null;
  traceparent?: string | null | undefined;
  /** The id of the dead letter that the run redrives. Undefined for any other run. */
  letterId?: string | undefined;
}

/** A run to insert, together with the thread to create for it. */
export interface RunWithThread extends RunRow {
  thread: { metadata: Json; config: Json; temporary: boolean };
}

const columns = sql`run_id, thread_id, assistant_id, graph_id, multitask_strategy, metadata, kwargs, run_at, events_kept_secs, webhook, webhook_host,
  auth_user, traceparent, letter_id, priority, queue_key, rank, task_id, notifies`;

const webhookHostOf = ({ kwargs: { webhook } }: RunRow) => webhook && hostOf(webhook);

/**
 * Returns an SQL expression for the id of the Agent2Agent task to which a new run belongs. A run that answers a question belongs to the
 * task of the thread's last run. For any other run, the result is null. The caller holds the thread's lock.
 */
const taskOf = ({ threadId, kwargs }: RunRow): Sql =>
  answersQuestion(kwargs)
    ? sql`(select coalesce(task_id, run_id) from runs where thread_id = ${threadId} order by seq desc limit 1)`
    : sql`null::uuid`;

/** Inserts a run and returns it. `withThread` is a `with` query that creates or changes the run's thread in the same statement. */
export async function insertRun(tx: Db, run: RunRow, withThread: Sql): Promise<Run> {
  const { rows } = await tx.query<Run>(sql`
    with on_thread as (${withThread})
    insert into runs (${columns})
    values (${run.runId}, ${run.threadId}, ${run.assistantId}, ${run.graphId}, ${run.multitaskStrategy}, ${sealableJson("runs.metadata", run.metadata)},
            ${sealableJson("runs.kwargs", run.kwargs)},
            now() + make_interval(secs => ${run.afterSeconds}), ${run.eventRetentionSeconds}, ${run.kwargs.webhook},
            ${webhookHostOf(run)}, ${run.user && sealableJson("runs.auth_user", run.user)}, ${run.traceparent ?? null}, ${run.letterId ?? null}, ${run.priority}, ${run.queueKey},
            ${run.turn}, ${taskOf(run)}, exists (select from push_configs where push_configs.task_id = coalesce(${taskOf(run)}, ${run.runId}::uuid)))
    returning ${runColumns}`);
  return rows[0] as Run;
}

export const insertRunWithThread = (db: Db, run: RunWithThread): Promise<Run> =>
  insertRun(db, run, insertingThread({ ...run.thread, thread_id: run.threadId }));

/** Inserts several runs and their new threads in one statement. Returns the stored runs in the given order. */
export async function insertRunsWithThreads(db: Db, runs: RunWithThread[]): Promise<Run[]> {
  const statement = sql`
    with on_thread as (${insertingThreads(runs.map(({ threadId, thread }) => ({ ...thread, thread_id: threadId })))})
    insert into runs (${columns})
    select run_id, thread_id, assistant_id, graph_id, strategy, metadata::json, kwargs::json, now() + make_interval(secs => after_seconds), kept_seconds,
           webhook, webhook_host, auth_user::json, traceparent, null::uuid, priority, queue_key,
           turn, null::uuid, false
      from unnest(
        ${runs.map(({ runId }) => runId)}::uuid[], ${runs.map(({ threadId }) => threadId)}::uuid[], ${runs.map(({ assistantId }) => assistantId)}::uuid[],
        ${runs.map(({ graphId }) => graphId)}::text[],
        ${runs.map(({ multitaskStrategy }) => multitaskStrategy)}::multitask_strategy[], ${runs.map(({ metadata }) => sealableJson("runs.metadata", metadata))}::text[],
        ${runs.map(({ kwargs }) => sealableJson("runs.kwargs", kwargs))}::text[], ${runs.map(({ afterSeconds }) => afterSeconds)}::double precision[],
        ${runs.map(({ eventRetentionSeconds }) => eventRetentionSeconds)}::double precision[], ${runs.map(({ kwargs }) => kwargs.webhook)}::text[],
        ${runs.map(webhookHostOf)}::text[], ${runs.map(({ user }) => user && sealableJson("runs.auth_user", user))}::text[], ${runs.map(({ traceparent = null }) => traceparent)}::text[],
        ${runs.map(({ priority }) => priority)}::smallint[], ${runs.map(({ queueKey }) => queueKey)}::text[], ${runs.map(({ turn }) => turn)}::double precision[])
        as r (run_id, thread_id, assistant_id, graph_id, strategy, metadata, kwargs, after_seconds, kept_seconds, webhook, webhook_host, auth_user, traceparent, priority, queue_key, turn)
    returning ${runColumns}`;
  const { rows } = await db.query<Run>(prepared("insert runs with threads", statement));
  const made = new Map(rows.map((run) => [run.run_id, run]));
  return runs.map(({ runId }) => made.get(runId) as Run);
}
