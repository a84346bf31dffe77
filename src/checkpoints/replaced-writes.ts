import { type Fence, fenced } from "../db/fence.ts";
import { sealable } from "../db/sealable.ts";
import { type Db, join, sql } from "../db/sql.ts";
import type { WriteRow } from "./rows.ts";
import { bytesOf } from "./serializer.ts";

/**
 * Stores the errors, interrupts and resume values of tasks. A task has at most one value of each kind, so a new value replaces the stored
 * one. If another run stored the old value, first copies that value to `replaced_writes`. A rollback or a retry of this run can then
 * restore it. Returns false if the attempt has lost the right to write.
 */
export async function replaceWrites(db: Db, fence: Fence | undefined, rows: WriteRow[]): Promise<boolean> {
  const right = fence ? fenced(fence) : sql`fence as (select null::uuid as run_id)`;
  const values = rows.map(
    (
      w,
    ) => sql`(${w.threadId}::text, ${w.namespace}::text, ${w.checkpointId}::text, ${w.taskId}::text, ${w.idx}::integer, ${w.channel}::text,
                ${w.value.type}::text, ${sealable("checkpoint_writes.blob", bytesOf(w.value))}::bytea)`,
  );
  const { rowCount } = await db.query(sql`
    with ${right}, written (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob) as (values ${join(values)}),
    replaced as (
      insert into replaced_writes (replaced_by, thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, run_id)
      select fence.run_id, old.thread_id, old.checkpoint_ns, old.checkpoint_id, old.task_id, old.idx, old.channel, old.type, old.blob, old.run_id
        from fence, written join checkpoint_writes old using (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
       where fence.run_id is not null and old.run_id is distinct from fence.run_id
          on conflict do nothing),
    stored as (
      insert into checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, run_id)
      select written.*, fence.run_id from fence, written
          on conflict (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
          do update set channel = excluded.channel, type = excluded.type, blob = excluded.blob, run_id = excluded.run_id)
    select 1 from fence`);
  return rowCount !== 0;
}
