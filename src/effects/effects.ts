import { type Fence, fenced } from "../db/fence.ts";
import { sealable } from "../db/sealable.ts";
import { type Db, sql } from "../db/sql.ts";

/** Returns the stored result of an effect as JSON text, or undefined if no result is stored. */
export async function findEffect(db: Db, runId: string, taskId: string, name: string): Promise<string | undefined> {
  const { rows } = await db.query<{ result: string }>(sql`
    select result from effects where run_id = ${runId} and task_id = ${taskId} and name = ${name}`);
  return rows[0]?.result;
}

/** Stores the result of an effect, unless a result is already stored. Returns false if the attempt has lost the right to write. */
export async function storeEffect(db: Db, fence: Fence, taskId: string, name: string, result: string): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    with ${fenced(fence)}, stored as (
      insert into effects (run_id, task_id, name, result)
      select run_id, ${taskId}, ${name}, ${sealable("effects.result", result)} from fence
          on conflict do nothing)
    select 1 from fence`);
  return rowCount !== 0;
}
