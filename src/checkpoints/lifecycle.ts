import { sealableJson } from "../db/sealable.ts";
import { type Db, sql } from "../db/sql.ts";
import { CheckpointNotFound } from "../errors.ts";
import { deltaAncestors, withoutCounters } from "./delta-ancestors.ts";
import { neededBlobs } from "./needed-blobs.ts";
import { newestFirst } from "./order.ts";

/** Deletes all checkpoints of a thread. Call it in the transaction that deletes the thread's row. */
export async function deleteThreadCheckpoints(db: Db, threadId: string): Promise<void> {
  await db.query(sql`
    with blobs as (delete from checkpoint_blobs where thread_id = ${threadId}),
         writes as (delete from checkpoint_writes where thread_id = ${threadId}),
         replaced as (delete from replaced_writes where thread_id = ${threadId})
    delete from checkpoints where thread_id = ${threadId}`);
}

/**
 * Deletes everything that a run stored: its checkpoints, its writes, and the blobs that no other checkpoint needs. The run may have
 * replaced interrupts and answers that earlier runs stored. This function restores them. A checkpoint stays if a later run's DeltaChannel
 * is rebuilt from it.
 *
 * If another run is executing on the thread (`isInUse`), the blobs stay, because the state of that run may need them. They are deleted
 * later, when the thread is deleted or pruned. Call this function in a transaction that holds the thread's lock.
 */
export async function deleteRunCheckpoints(db: Db, threadId: string, runId: string, isInUse: boolean): Promise<void> {
  await db.query(sql`
    with recursive kept as (
      select thread_id, checkpoint_ns, checkpoint_id from checkpoints where thread_id = ${threadId} and run_id is distinct from ${runId}),
    ${deltaAncestors([threadId])},
    spared as (
      select checkpoint_ns, checkpoint_id from checkpoints join needed_checkpoints using (thread_id, checkpoint_ns, checkpoint_id)
       where run_id = ${runId}),
    writes as (
      delete from checkpoint_writes
       where thread_id = ${threadId} and run_id = ${runId}
         and not (exists (select from spared)
                  and (checkpoint_ns, checkpoint_id) in (select checkpoint_ns, checkpoint_id from walk where is_ancestor)))
    delete from checkpoints
     where thread_id = ${threadId} and run_id = ${runId} and (checkpoint_ns, checkpoint_id) not in (select * from spared)`);
  if (!isInUse)
    await db.query(sql`
    with ${neededBlobs([threadId])}
    delete from checkpoint_blobs b
     where thread_id = ${threadId} and run_id = ${runId}
       and not exists (select from needed n
                        where n.thread_id = b.thread_id and n.checkpoint_ns = b.checkpoint_ns
                          and n.channel = b.channel and n.version = b.version)`);
  await restoreReplacedWrites(db, threadId, runId);
}

/**
 * Deletes the answers that a run has stored for interrupts. Used after an attempt of the run was lost. If the run has no checkpoint of its
 * own, the next attempt starts again with the run's command. LangGraph would then add the command's answer to the stored answers. The
 * results of finished tasks are kept. Call this function in a transaction.
 */
export async function forgetAnswersOfRun(db: Db, threadId: string, runId: string): Promise<void> {
  await db.query(sql`delete from checkpoint_writes where thread_id = ${threadId} and run_id = ${runId} and idx < 0`);
  await restoreReplacedWrites(db, threadId, runId);
}

async function restoreReplacedWrites(db: Db, threadId: string, runId: string): Promise<void> {
  await db.query(sql`
    with replaced as (delete from replaced_writes where thread_id = ${threadId} and replaced_by = ${runId} returning *)
    insert into checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, run_id)
    select thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, run_id from replaced
        on conflict do nothing`);
}

/** Copies all checkpoints of a thread to another thread. The copies name no run, because the runs stay with the original thread. */
export async function copyCheckpoints(db: Db, fromThreadId: string, toThreadId: string): Promise<void> {
  await db.query(sql`
    with blobs as (
      insert into checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob, base)
      select ${toThreadId}, checkpoint_ns, channel, version, type, blob, base from checkpoint_blobs where thread_id = ${fromThreadId}),
    writes as (
      insert into checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob)
      select ${toThreadId}, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob
        from checkpoint_writes where thread_id = ${fromThreadId})
    insert into checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata, seq)
    select ${toThreadId}, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint,
           metadata || jsonb_build_object('thread_id', ${toThreadId}::text), seq
      from checkpoints where thread_id = ${fromThreadId}`);
}

/**
 * Throws if the thread has no checkpoint with this id in this namespace. Without this check, LangGraph would start from an empty state, as
 * if the thread had no history.
 */
export async function requireCheckpoint(
  db: Db,
  threadId: string,
  named: { checkpoint_id?: unknown; checkpoint_ns?: unknown },
): Promise<void> {
  const { checkpoint_id: id, checkpoint_ns: namespace } = named;
  if (typeof id !== "string" || id === "") return;
  const { rowCount } = await db.query(sql`
    select 1 from checkpoints
     where thread_id = ${threadId} and checkpoint_ns = ${typeof namespace === "string" ? namespace : ""} and checkpoint_id = ${id}`);
  if (rowCount === 0) throw new CheckpointNotFound(threadId, id);
}

/**
 * Returns the id of the last checkpoint that this run stored for the root graph. The run's next attempt continues from this checkpoint
 * and ignores the run's input.
 */
export async function lastCheckpointOfRun(db: Db, threadId: string, runId: string): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(sql`
    select checkpoint_id as id from checkpoints
     where thread_id = ${threadId} and checkpoint_ns = '' and run_id = ${runId} order by ${newestFirst} limit 1`);
  return rows[0]?.id;
}

/** Merges a caller's metadata into the metadata of the thread's newest checkpoint. Returns false if the thread has no checkpoint. */
export async function patchNewestMetadata(db: Db, threadId: string, metadata: Record<string, unknown>): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    update checkpoints set metadata = metadata || searchable(${sealableJson("checkpoints.metadata", withoutCounters(metadata))}::json)
     where thread_id = ${threadId} and checkpoint_ns = ''
       and checkpoint_id = (select checkpoint_id from checkpoints where thread_id = ${threadId} and checkpoint_ns = '' order by ${newestFirst} limit 1)`);
  return rowCount !== 0;
}
