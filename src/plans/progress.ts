import type { PlanStatus, TaskStatus } from "./plan.ts";

/** A subtask of a plan in the API's form. */
export interface PlanTask {
  id: string;
  title: string;
  depends_on: string[];
  status: TaskStatus;
  agent: string | null;
  result: unknown;
  error: string | null;
  attempts: number;
  metadata: Record<string, unknown>;
  started_at: Date | string | null;
  ended_at: Date | string | null;
}

/** The number of subtasks with each status. `ready` is the number of subtasks that can begin now. */
export interface Counts extends Record<TaskStatus, number> {
  total: number;
  ready: number;
}

export interface Progress extends Record<TaskStatus, number> {
  total: number;
  /** The share of subtasks that are done or skipped, in percent, rounded down. */
  percent: number;
}

/** The collected results of a plan's subtasks. */
export interface Aggregate {
  /** True if every subtask is done or skipped. */
  complete: boolean;
  results: { id: string; title: string; agent: string | null; result: unknown }[];
  failed: { id: string; error: string | null }[];
  /** The ids of the subtasks that are neither done nor skipped. */
  missing: string[];
  summary: string;
}

export interface PlanState {
  status: PlanStatus;
  progress: Progress;
  /** The ids of the pending subtasks whose dependencies are all done or skipped. */
  ready: string[];
  /** The ids of the pending subtasks that cannot begin, because they depend on a failed subtask directly or through other subtasks. */
  blocked: string[];
  aggregate: Aggregate;
}

const isFinished = (status: TaskStatus | undefined) => status === "done" || status === "skipped";

/** Returns the status of a plan. It depends only on how many of the plan's subtasks have each status. */
export function statusOf({ total, pending, running, failed, ready }: Counts): PlanStatus {
  if (pending === total) return "pending";
  if (running > 0 || ready > 0) return "running";
  return failed > 0 || pending > 0 ? "failed" : "done";
}

export function progressOf({ ready: _, ...counts }: Counts): Progress {
  return { ...counts, percent: counts.total === 0 ? 0 : Math.floor((100 * (counts.done + counts.skipped)) / counts.total) };
}

/** Returns all fields that are derived from the subtasks of a plan. */
export function stateOf(tasks: PlanTask[]): PlanState {
  const statuses = new Map(tasks.map(({ id, status }) => [id, status]));
  const ready = tasks
    .filter(({ status, depends_on }) => status === "pending" && depends_on.every((id) => isFinished(statuses.get(id))))
    .map(({ id }) => id);
  const count = (wanted: TaskStatus) => tasks.filter(({ status }) => status === wanted).length;
  const counts: Counts = {
    ...{ total: tasks.length, ready: ready.length, pending: count("pending"), running: count("running") },
    ...{ done: count("done"), failed: count("failed"), skipped: count("skipped") },
  };
  return { status: statusOf(counts), progress: progressOf(counts), ready, blocked: blockedIn(tasks), aggregate: aggregateOf(tasks) };
}

/** Returns the ids of the pending subtasks that wait for a failed subtask, directly or through others. */
function blockedIn(tasks: PlanTask[]): string[] {
  const stuck = new Set(tasks.filter(({ status }) => status === "failed").map(({ id }) => id));
  const blocked = new Set<string>();
  for (let size = -1; size !== blocked.size; ) {
    size = blocked.size;
    for (const { id, status, depends_on } of tasks)
      if (status === "pending" && depends_on.some((other) => stuck.has(other) || blocked.has(other))) blocked.add(id);
  }
  return tasks.map(({ id }) => id).filter((id) => blocked.has(id));
}

function aggregateOf(tasks: PlanTask[]): Aggregate {
  const done = tasks.filter(({ status }) => status === "done");
  const failed = tasks.filter(({ status }) => status === "failed").map(({ id, error }) => ({ id, error }));
  const missing = tasks.filter(({ status }) => !isFinished(status)).map(({ id }) => id);
  const names = failed.map(({ id }) => id).join(", ");
  return {
    complete: missing.length === 0,
    results: done.map(({ id, title, agent, result }) => ({ id, title, agent, result })),
    failed,
    missing,
    summary: `${done.length} of ${tasks.length} subtasks are done.${names ? ` Failed: ${names}.` : ""}${
      missing.length > failed.length ? ` Not finished: ${missing.length - failed.length}.` : ""
    }`,
  };
}
