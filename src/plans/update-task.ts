import type { Scope } from "../db/scope.ts";
import { type Db, type Sql, sql } from "../db/sql.ts";
import { ServiceError } from "../errors.ts";
import type { TaskChange, TaskStatus } from "./plan.ts";
import { planNotFound, taskColumns } from "./plans.ts";
import type { PlanTask } from "./progress.ts";

/**
 * Maps each new status of a subtask to the statuses from which a subtask may change to it. No list contains "done", so a subtask that is
 * done can change only with `force`.
 */
const before: Record<TaskStatus, TaskStatus[]> = {
  pending: ["running", "failed", "skipped"],
  running: ["pending", "failed"],
  done: ["pending", "running"],
  failed: ["pending", "running"],
  skipped: ["pending", "running", "failed"],
};

/** The statuses that a subtask can get only when all its dependencies are done or skipped. */
const afterOthers: TaskStatus[] = ["running", "done"];

/** The size limit of all results of one plan together, in bytes. */
const mostResultBytes = 16 * 1024 * 1024;

/** The address of a subtask: its plan and its own id. */
export interface TaskPlace {
  planId: string;
  taskId: string;
}

/**
 * Changes the status of a subtask in one statement, and returns the subtask. If a caller repeats the same change, the repetition has no
 * effect. If two callers change a subtask at the same time, the second change is checked against the status that the first has set. The
 * statement locks the subtasks on which this subtask depends, so that their statuses cannot change meanwhile.
 */
export async function updateTask(db: Db, scope: Scope, { planId, taskId }: TaskPlace, change: TaskChange): Promise<PlanTask> {
  const { status, force = false } = change;
  const isOver = status === "done" || status === "failed" || status === "skipped";
  const isFree = sql`(${!afterOthers.includes(status)}::boolean or not exists (select from waiting))`;
  const { rows } = await db.query<PlanTask>(sql`
    with plan as (select plan_id from plans where plan_id = ${planId} and ${scope.visible(sql`metadata`)}),
    needed as materialized (
      select status from plan_tasks
       where plan_id = (select plan_id from plan)
         and task_id = any((select depends_on from plan_tasks own where own.plan_id = ${planId} and own.task_id = ${taskId})::text[])
       order by task_id for share),
    waiting as (select from needed where status not in ('done', 'skipped')),
    changed as (
      update plan_tasks task
         set ${values(change)},
             attempts = attempts + case when ${status} = 'running' and task.status <> 'running' then 1 else 0 end,
             started_at = case when ${status} = 'pending' then null when ${status} = 'skipped' then started_at
                               when ${status} = 'running' and task.status <> 'running' then now() else coalesce(started_at, now()) end,
             ended_at = case when not ${isOver}::boolean then null when task.status::text = ${status} then ended_at else now() end, updated_at = now()
       where plan_id = (select plan_id from plan) and task_id = ${taskId}
         and (${force}::boolean or task.status = any(${before[status]}::plan_task_status[]) and ${isFree}
              or task.status::text = ${status} and ${isRepeated(change)})
         and ${fits({ planId, taskId }, change)}
      returning task.*),
    touched as (update plans set updated_at = now() where plan_id in (select plan_id from changed))
    select ${taskColumns} from changed`);
  if (!rows[0]) throw await refusal(db, scope, { planId, taskId }, change);
  return rows[0];
}

const resultOf = ({ result }: TaskChange): string | null => (result === undefined || result === null ? null : JSON.stringify(result));

/** Returns the assignments for the fields that the caller gives. A subtask that returns to pending loses its result and its error. */
function values(change: TaskChange): Sql {
  const { status, error = null, agent = null } = change;
  const result = resultOf(change);
  if (status === "pending") return sql`status = 'pending', result = null, error = ${error}, agent = ${agent}`;
  return sql`
    status = ${status}::plan_task_status, result = coalesce(${result}::json, result), agent = coalesce(${agent}, agent),
    error = ${status === "done" ? sql`${error}::text` : sql`coalesce(${error}, error)`}`;
}

/**
 * Returns an SQL condition for a change to a status that the subtask already has. It is true if the change only repeats stored values or
 * adds missing ones. An agent may thus report more about its own subtask. It may not take over the subtask of another agent, or replace a
 * stored result.
 */
function isRepeated(change: TaskChange): Sql {
  const { status, error = null, agent = null } = change;
  const isSameAgent = sql`(${agent}::text is null or agent is null or agent = ${agent})`;
  if (status === "running") return isSameAgent;
  const result = resultOf(change);
  return sql`${isSameAgent} and (${result}::text is null or result is null or result::text = ${result})
             and (${error}::text is null or error is null or error = ${error})`;
}

const fits = ({ planId, taskId }: TaskPlace, change: TaskChange): Sql => sql`
  (${resultOf(change)}::text is null
   or (select coalesce(sum(octet_length(other.result::text)), 0) from plan_tasks other where other.plan_id = ${planId} and other.task_id <> ${taskId})
      + octet_length(${resultOf(change)}::text) <= ${mostResultBytes})`;

/** Returns the error that explains why a change of a subtask had no effect. */
async function refusal(db: Db, scope: Scope, { planId, taskId }: TaskPlace, { status, agent }: TaskChange): Promise<ServiceError> {
  const { rows } = await db.query<{ status: TaskStatus | null; agent: string | null; waiting: string[] | null }>(sql`
    select task.status, task.agent,
           (select array_agg(needed.task_id || '" (' || needed.status || ')' order by needed.place) from plan_tasks needed
             where needed.plan_id = task.plan_id and needed.task_id = any(task.depends_on) and needed.status not in ('done', 'skipped')) as waiting
      from plans left join plan_tasks task on task.plan_id = plans.plan_id and task_id = ${taskId}
     where plans.plan_id = ${planId} and ${scope.visible(sql`plans.metadata`)}`);
  const [found] = rows;
  if (!found) return planNotFound();
  if (found.status === null) return new ServiceError("not_found", `The plan has no subtask "${taskId}".`);
  const subject = `Subtask "${taskId}"`;
  if (found.status === status) {
    const isTaken = status === "running" && found.agent !== null && found.agent !== agent;
    return new ServiceError(
      "conflict",
      isTaken ? `${subject} is running with the agent "${found.agent}".` : `${subject} is ${status} already, with another outcome.`,
    );
  }
  if (!before[status].includes(found.status))
    return new ServiceError(
      "conflict",
      `${subject} is ${found.status}, so it cannot become ${status}. It could from ${before[status].join(", ")}, or with force.`,
    );
  if (found.waiting && afterOthers.includes(status))
    return new ServiceError(
      "conflict",
      `${subject} cannot become ${status}, because it depends on "${found.waiting.join(', "')}. Finish these first, or send force: true.`,
    );
  return new ServiceError(
    "too_large",
    `The results of one plan may take at most ${mostResultBytes / 1024 / 1024} MB together. Store large results elsewhere, and report where.`,
  );
}
