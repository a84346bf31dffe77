import { type Db, type Sql, sql } from "./sql.ts";

/**
 * The right to write for a run. Each claim of a run starts an attempt with the next number. Only the attempt whose number the run's row
 * holds may write.
 */
export interface Fence {
  runId: string;
  attempt: number;
}

/**
 * Returns a `with` query that every write of an attempt begins with: `with ${fenced(fence)} insert into … select … from fence`. If the
 * statement returns no row, the attempt has lost the right to write.
 *
 * The query reads the run with `for share`. With a plain read, a write that began before a takeover could commit after the next attempt has
 * read.
 */
export function fenced({ runId, attempt }: Fence): Sql {
  return sql`fence as (
    select run_id, thread_id from runs
     where run_id = ${runId} and attempt = ${attempt} and status = 'running'
       for share)`;
}

/** Returns a `with` query that selects the runs whose attempts may still write. Each run appears once in `fences`. */
export function fencedAll(fences: Fence[]): Sql {
  return sql`fence as (
    select runs.run_id, runs.thread_id
      from runs join unnest(${fences.map(({ runId }) => runId)}::uuid[], ${fences.map(({ attempt }) => attempt)}::integer[]) held (run_id, attempt)
        on runs.run_id = held.run_id and runs.attempt = held.attempt
     where status = 'running'
     order by runs.run_id for share of runs)`;
}

/**
 * Locks the run's row until the transaction ends, so that an attempt can write in several statements. Returns false if the attempt has lost
 * the right to write.
 */
export async function holdRight(tx: Db, fence: Fence): Promise<boolean> {
  const { rowCount } = await tx.query(sql`with ${fenced(fence)} select 1 from fence`);
  return rowCount !== 0;
}
