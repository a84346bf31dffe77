import { type Db, type Sql, sql } from "./sql.ts";

/** The right to write for a run. The attempt that the runs row names holds it. */
export interface Fence {
  runId: string;
  attempt: number;
}

/**
 * Returns the `with` part that begins every statement by which an attempt writes: `with ${fenced(fence)} insert into … select … from
 * fence`. If the statement returns no row, the attempt has lost the right. The part uses `for share`, not `exists`. With a plain read, a
 * write that began before a takeover could commit after the next attempt has read.
 */
export function fenced({ runId, attempt }: Fence): Sql {
  return sql`fence as (
    select run_id, thread_id from runs
     where run_id = ${runId} and attempt = ${attempt} and status = 'running'
       for share)`;
}

/** Returns the `with` part for several runs, each named once. It selects the runs whose right is still held. */
export function fencedAll(fences: Fence[]): Sql {
  return sql`fence as (
    select runs.run_id, runs.thread_id
      from runs join unnest(${fences.map(({ runId }) => runId)}::uuid[], ${fences.map(({ attempt }) => attempt)}::integer[]) held (run_id, attempt)
        on runs.run_id = held.run_id and runs.attempt = held.attempt
     where status = 'running'
     order by runs.run_id for share of runs)`;
}

/** Locks the right until the transaction ends, for work of several statements. Returns false when the right is lost. */
export async function holdRight(tx: Db, fence: Fence): Promise<boolean> {
  const { rowCount } = await tx.query(sql`with ${fenced(fence)} select 1 from fence`);
  return rowCount !== 0;
}
