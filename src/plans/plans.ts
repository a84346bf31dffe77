import { lengthOf } from "../db/bounded.ts";
import { newId } from "../db/ids.ts";
import { type Page, paged } from "../db/paging.ts";
import type { Scope } from "../db/scope.ts";
import { type Db, nothing, type Sql, sql } from "../db/sql.ts";
import { ServiceError } from "../errors.ts";
import type { PlanCreate, PlanStatus } from "./plan.ts";
import { type Counts, type PlanState, type PlanTask, type Progress, progressOf, stateOf, statusOf } from "./progress.ts";

type Json = Record<string, unknown>;

/** The fields of a plan that are stored in its row. */
interface PlanRow {
  plan_id: string;
  type: string;
  title: string | null;
  metadata: Json;
  owner: string | null;
  created_at: Date;
  updated_at: Date;
}

/** A plan as a list of plans shows it, without its subtasks. */
export type ListedPlan = PlanRow & { status: PlanStatus; progress: Progress };

/** A whole plan: its row, its subtasks, and the fields that are derived from the subtasks. */
export type Plan = PlanRow & PlanState & { subtasks: PlanTask[] };

export const planNotFound = () => new ServiceError("not_found", "Plan not found");
export const taskColumns: Sql = sql`task_id as id, title, depends_on, status, agent, result, error, attempts, metadata, started_at, ended_at`;
const planColumns = sql`plan_id, type, title, metadata, owner, created_at, updated_at`;

/** Stores a plan with its subtasks in one statement, and returns the plan's id. Throws if the id is taken. */
export async function createPlan(db: Db, wanted: PlanCreate, owner: string | null): Promise<string> {
  const { plan_id: planId = newId(), type, title = null, metadata, subtasks } = wanted;
  const { rowCount } = await db.query(sql`
    with plan as (
      insert into plans (plan_id, type, title, metadata, owner)
      values (${planId}, ${type}, ${title}, ${JSON.stringify(metadata ?? {})}, ${owner})
          on conflict do nothing
      returning plan_id)
    insert into plan_tasks (plan_id, place, task_id, title, depends_on, agent, metadata)
    select plan_id, place, id, title, array(select json_array_elements_text(depends_on::json)), agent, metadata::json
      from plan, unnest(${subtasks.map(({ id }) => id)}::text[], ${subtasks.map(({ id, title }) => title ?? id)}::text[],
                        ${subtasks.map(({ depends_on }) => JSON.stringify([...new Set(depends_on)]))}::text[],
                        ${subtasks.map(({ agent = null }) => agent)}::text[],
                        ${subtasks.map(({ metadata }) => JSON.stringify(metadata ?? {}))}::text[])
             with ordinality as t (id, title, depends_on, agent, metadata, place)`);
  if (rowCount === 0) throw new ServiceError("conflict", `There is a plan with the id ${planId} already.`);
  return planId;
}

export async function getPlan(db: Db, scope: Scope, planId: string): Promise<Plan> {
  const { rows: plans } = await db.query<PlanRow>(sql`
    select ${planColumns} from plans where plan_id = ${planId} and ${scope.visible(sql`metadata`)}`);
  if (!plans[0]) throw planNotFound();
  const { rows: subtasks } = await db.query<PlanTask>(sql`
    select ${taskColumns} from plan_tasks where plan_id = ${planId} order by place`);
  return { ...plans[0], ...stateOf(subtasks), subtasks };
}

/** An SQL condition that is true if the subtask `task` has an unfinished dependency. A dependency is finished if it is done or skipped. */
const isWaiting = sql`
  exists (select from plan_tasks needed
           where needed.plan_id = task.plan_id and needed.task_id = any(task.depends_on) and needed.status not in ('done', 'skipped'))`;

const counted = (status: string): Sql => sql`count(*) filter (where status = ${status}::plan_task_status)::integer`;

export interface PlanSearch {
  limit: number;
  offset: number;
  /** True selects plans with a pending or running subtask, and false selects all other plans. Undefined selects both. */
  active?: boolean | undefined;
  type?: string | undefined;
  bytes?: number;
}

/** Lists plans, newest first. */
export async function listPlans(db: Db, scope: Scope, { active, type, ...page }: PlanSearch): Promise<Page<ListedPlan>> {
  const isOpen = sql`exists (select from plan_tasks open where open.plan_id = plans.plan_id and open.status in ('pending', 'running'))`;
  const select = sql`
    select ${planColumns} from plans
     where ${scope.visible(sql`metadata`)} ${type === undefined ? nothing : sql`and type = ${type}`}
       ${active === undefined ? nothing : active ? sql`and ${isOpen}` : sql`and not ${isOpen}`}`;
  const found = await paged<PlanRow>(db, select, page, { created_at: sql`created_at` }, [lengthOf(sql`metadata`)]);
  const counts = await countTasks(db, found.rows);
  const rows = found.rows.map((plan) => {
    const own = counts.get(plan.plan_id) ?? noTasks;
    return { ...plan, status: statusOf(own), progress: progressOf(own) };
  });
  return { ...found, rows };
}

const noTasks: Counts = { total: 0, ready: 0, pending: 0, running: 0, done: 0, failed: 0, skipped: 0 };

async function countTasks(db: Db, plans: PlanRow[]): Promise<Map<string, Counts>> {
  const { rows } = await db.query<Counts & { plan_id: string }>(sql`
    select plan_id, count(*)::integer as total, ${counted("pending")} as pending, ${counted("running")} as running, ${counted("done")} as done,
           ${counted("failed")} as failed, ${counted("skipped")} as skipped,
           count(*) filter (where status = 'pending' and not ${isWaiting})::integer as ready
      from plan_tasks task where plan_id = any(${plans.map(({ plan_id }) => plan_id)}::uuid[]) group by plan_id`);
  return new Map(rows.map(({ plan_id, ...counts }) => [plan_id, counts]));
}

export async function deletePlan(db: Db, scope: Scope, planId: string): Promise<void> {
  const { rowCount } = await db.query(sql`delete from plans where plan_id = ${planId} and ${scope.visible(sql`metadata`)}`);
  if (rowCount === 0) throw planNotFound();
}

const outdated = (days: number): Sql => sql`updated_at < now() - make_interval(secs => ${days * 86_400})`;

/** Deletes at most `limit` plans that have not changed for `days` days. Returns the number of deleted plans. */
export async function sweepPlans(db: Db, days: number, limit: number): Promise<number> {
  const { rowCount } = await db.query(sql`
    delete from plans where plan_id in (select plan_id from plans where ${outdated(days)} order by updated_at limit ${limit})`);
  return rowCount ?? 0;
}

/** Counts the plans that a sweep would delete, because they have not changed for `days` days. */
export async function countOutdatedPlans(db: Db, days: number): Promise<number> {
  const { rows } = await db.query<{ count: number }>(sql`select count(*)::integer as count from plans where ${outdated(days)}`);
  return rows[0]?.count ?? 0;
}
