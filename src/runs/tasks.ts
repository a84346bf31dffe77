import { mostCounted } from "../db/paging.ts";
import { isEverything, type Scope } from "../db/scope.ts";
import { type Db, nothing, type Sql, sql } from "../db/sql.ts";
import type { RunError } from "./end.ts";
import type { RunStatus } from "./run.ts";

/**
 * A task of the Agent2Agent protocol, described by its newest run. A task begins with a run. Each run that answers a question of the task
 * continues the task. Clients know a task by the id of its first run.
 */
export interface TaskRun {
  /** The id of the task's first run. */
  taskId: string;
  /** The id of the task's newest run. */
  runId: string;
  threadId: string;
  assistantId: string;
  status: RunStatus;
  error: RunError | null;
  updatedAt: Date;
  /** The time of the newest run's last change as text, with microseconds. Pages of tasks continue after this time. */
  changed: string;
  seq: string;
  /** The open questions of the thread, if the task waits for an answer. Null if the task does not wait. */
  interrupts: unknown;
  /**
   * True if the newest run asked a question. The task waits for the answer as long as `interrupts` is not null. After that, nobody can
   * answer the question any more.
   */
  asked: boolean;
}

/**
 * An SQL condition that is true if the task's newest run (`r`) has asked a question that is still open. A later run of the thread would
 * have closed the question.
 */
const isWaiting = sql`
  (r.status = 'success' and t.resting_status = 'interrupted'
   and not exists (select from runs later where later.thread_id = r.thread_id and later.seq > r.seq))`;

const columns = sql`
  coalesce(r.task_id, r.run_id) as "taskId", r.run_id as "runId", r.thread_id as "threadId", r.assistant_id as "assistantId", r.status, r.error,
  r.updated_at as "updatedAt", r.updated_at::text as changed, r.seq::text as seq,
  case when ${isWaiting} then t.interrupts end as interrupts, r.asked`;

/** Returns a task, or undefined if the caller cannot see it. The id may be that of any run of the task. */
export async function findTask(db: Db, scope: Scope, runId: string): Promise<TaskRun | undefined> {
  const { rows } = await db.query<TaskRun>(sql`
    with task as (select coalesce(task_id, run_id) as id from runs where run_id = ${runId})
    select ${columns}
      from task join runs r on r.run_id = task.id or r.task_id = task.id
      join threads t on t.thread_id = r.thread_id
     where ${scope.visible(sql`t.metadata`)}
     order by r.seq desc limit 1`);
  return rows[0];
}

/** Marks a task's open run, so that the end of this run sends the task's push notifications. The caller holds the thread's lock. */
export async function notifyOfTask(tx: Db, taskId: string): Promise<void> {
  await tx.query(
    sql`update runs set notifies = true where (run_id = ${taskId} or task_id = ${taskId}) and ended_at is null and not notifies`,
  );
}

/** Returns the first run's input, which holds the message that began the task. Returns null if the run no longer exists. */
export async function inputOfTask(db: Db, taskId: string): Promise<unknown> {
  const { rows } = await db.query<{ kwargs: { input: unknown } }>(sql`select kwargs from runs where run_id = ${taskId}`);
  return rows[0]?.kwargs.input ?? null;
}

/** The states by which tasks can be searched. */
export type TaskPhase = "submitted" | "working" | "completed" | "failed" | "canceled" | "waiting";

const phases: Record<TaskPhase, Sql> = {
  submitted: sql`r.status = 'pending'`,
  working: sql`r.status = 'running'`,
  failed: sql`r.status in ('error', 'timeout')`,
  waiting: isWaiting,
  canceled: sql`(r.status = 'interrupted' or r.status = 'success' and r.asked and not ${isWaiting})`,
  completed: sql`r.status = 'success' and not r.asked and not ${isWaiting}`,
};

export interface TaskSearch {
  assistantId: string;
  threadId?: string | undefined;
  phase?: TaskPhase | undefined;
  /** Only tasks that changed at this time or later are found. */
  changedSince?: Date | undefined;
  /** The position of the last task of the previous page. Undefined for the first page. */
  after?: { changed: string; seq: string } | undefined;
  limit: number;
}

/** Returns a page of an assistant's tasks, the task with the newest change first. */
export async function searchTasks(db: Db, scope: Scope, { after, limit, ...filter }: TaskSearch): Promise<TaskRun[]> {
  const isAfter = after ? sql`and (r.updated_at, r.seq) < (${after.changed}::timestamptz, ${after.seq}::bigint)` : nothing;
  const { rows } = await db.query<TaskRun>(sql`
    select ${columns} from runs r join threads t on t.thread_id = r.thread_id
     where ${matching(scope, filter)} ${isAfter}
     order by r.updated_at desc, r.seq desc limit ${limit}`);
  return rows;
}

/** Counts the tasks that match the filter. Does not count further than `mostCounted`. */
export async function countTasks(db: Db, scope: Scope, filter: Omit<TaskSearch, "after" | "limit">): Promise<number> {
  const { rows } = await db.query<{ total: number }>(sql`
    select count(*)::integer as total
      from (select 1 from runs r join threads t on t.thread_id = r.thread_id where ${matching(scope, filter)} limit ${mostCounted}) found`);
  return rows[0]?.total ?? 0;
}

function matching(scope: Scope, { assistantId, threadId, phase, changedSince }: Omit<TaskSearch, "after" | "limit">): Sql {
  return sql`
    r.assistant_id = ${assistantId}
    and not exists (select from runs later where later.task_id = coalesce(r.task_id, r.run_id) and later.seq > r.seq)
    ${threadId === undefined ? nothing : sql`and r.thread_id = ${threadId}`}
    ${phase === undefined ? nothing : sql`and ${phases[phase]}`}
    ${changedSince === undefined ? nothing : sql`and r.updated_at >= ${changedSince}`}
    ${isEverything(scope) ? nothing : sql`and ${scope.visible(sql`t.metadata`)}`}`;
}
