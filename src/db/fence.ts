import { type Db, type Sql, sql } from "./sql.ts";

/**
 * Identifies an attempt to execute a run, and guards its writes. Each time a worker claims a run, the run's row gets the next attempt
 * number. A write succeeds only if the run's row still has the number of the attempt that writes.
 */
export interface Fence {
  runId: string;
  attempt: number;
}

/**
 * Returns a `with` query with which every write of an attempt begins: `with ${fenced(fence)} insert into … select … from fence`. If the
 * attempt has lost the right to write, `fence` is empty. The statement then writes nothing and returns no row.
 *
 * The query reads the run's row with `for share`, so that no other process can claim the run until the write has committed. With a plain
 * read, the next attempt could start before that commit and miss the written rows.
 */
export function fenced({ runId, attempt }: Fence): Sql {
  return sql`fence as (
    select run_id, thread_id from runs
     where run_id = ${runId} and attempt = ${attempt} and status = 'running'
       for share)`;
}

/**
 * Returns a `with` query for a statement that writes for several attempts. The query selects the runs whose attempts may still write. Pass
 * each run only once.
 */
export function fencedAll(fences: Fence[]): Sql {
  return sql`fence as (
    select runs.run_id, runs.thread_id
      from runs join unnest(${fences.map(({ runId }) => runId)}::uuid[], ${fences.map(({ attempt }) => attempt)}::integer[]) held (run_id, attempt)
        on runs.run_id = held.run_id and runs.attempt = held.attempt
     where status = 'running'
     order by runs.run_id for share of runs)`;
}

/**
 * Locks the run's row until the transaction ends, so that an attempt can write in several statements. Returns false if the attempt has
 * already lost the right to write.
 */
export async function holdRight(tx: Db, fence: Fence): Promise<boolean> {
  const { rowCount } = await tx.query(sql`with ${fenced(fence)} select 1 from fence`);
  return rowCount !== 0;
}
