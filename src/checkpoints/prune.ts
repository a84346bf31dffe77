import { type Db, type Sql, sql } from "../db/sql.ts";
import { deltaAncestors } from "./delta-ancestors.ts";
import { neededBlobs } from "./needed-blobs.ts";
import { newestFirst } from "./order.ts";

/**
 * The checkpoints of a thread to keep. "latest" keeps the newest checkpoint of each namespace. `newest` is the number of newest checkpoints
 * of the root graph to keep, together with their subgraphs' checkpoints.
 */
export type Kept = "latest" | { newest: number };

/**
 * Deletes all checkpoints of these threads except those that `kept` selects. Also deletes the writes of the deleted checkpoints and the
 * blobs that are no longer needed. Returns the number of deleted checkpoints. Call this function in a transaction that holds the locks of
 * the threads. No thread may have an open run.
 */
export async function pruneCheckpoints(tx: Db, threadIds: string[], kept: Kept): Promise<number> {
  const { rows } = await tx.query<{ thread_id: string }>(sql`
    with ${doomed(threadIds, kept)},
    writes as (
      delete from checkpoint_writes w using doomed d
       where w.thread_id = d.thread_id and w.checkpoint_ns = d.checkpoint_ns and w.checkpoint_id = d.checkpoint_id),
    replaced as (
      delete from replaced_writes w using doomed d
       where w.thread_id = d.thread_id and w.checkpoint_ns = d.checkpoint_ns and w.checkpoint_id = d.checkpoint_id)
    delete from checkpoints c using doomed d
     where c.thread_id = d.thread_id and c.checkpoint_ns = d.checkpoint_ns and c.checkpoint_id = d.checkpoint_id
    returning c.thread_id`);
  if (rows.length > 0) await deleteUnneededBlobs(tx, [...new Set(rows.map((row) => row.thread_id))]);
  return rows.length;
}

/** Returns the number of checkpoints that `pruneCheckpoints` would delete, without deleting them. */
export async function countPrunable(db: Db, threadIds: string[], kept: Kept): Promise<number> {
  const { rows } = await db.query<{ count: number }>(sql`
    with ${doomed(threadIds, kept)} select count(*)::integer as count from doomed`);
  return rows[0]?.count ?? 0;
}

/** Tells whether a thread must never be pruned, because its checkpoints have an old format. */
export async function hasOldFormat(db: Db, threadId: string): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    select 1 from checkpoints c where c.thread_id = ${threadId} and ${inOldFormat} limit 1`);
  return rowCount !== 0;
}

/** Selects checkpoints in a format before version 4. Such a checkpoint reads its pending sends from its parent. */
const inOldFormat = sql`(c.checkpoint ->> 'v')::numeric < 4`;

/**
 * Returns `with recursive` queries of which the last, `doomed`, selects the checkpoints to delete. A subgraph's checkpoint is kept as long
 * as the root checkpoint from which the subgraph's task started. A checkpoint is also kept if a DeltaChannel of a kept checkpoint is
 * rebuilt from it.
 *
 * Some subgraphs keep their state between runs. Their namespaces have no task ids ("a|b" instead of "a:…|b:…"). Their newest checkpoint is
 * always kept, because the next run continues from it.
 */
function doomed(threadIds: string[], kept: Kept): Sql {
  const superfluous =
    kept === "latest"
      ? sql`p.place > 1`
      : sql`case when p.checkpoint_ns = '' then p.place > ${kept.newest}
                 else p.root_id is not null
                      and not (p.place = 1 and position(':' in p.checkpoint_ns) = 0)
                      and not exists (select from placed root
                                       where root.thread_id = p.thread_id and root.checkpoint_ns = ''
                                         and root.checkpoint_id = p.root_id and root.place <= ${kept.newest}) end`;
  return sql`recursive placed as materialized (
      select thread_id, checkpoint_ns, checkpoint_id, metadata -> 'parents' ->> '' as root_id,
             row_number() over (partition by thread_id, checkpoint_ns order by ${newestFirst}) as place
        from checkpoints
       where thread_id = any(${threadIds}::text[])
         and thread_id not in (select c.thread_id from checkpoints c where c.thread_id = any(${threadIds}::text[]) and ${inOldFormat})),
    superfluous as (
      select p.thread_id, p.checkpoint_ns, p.checkpoint_id from placed p where ${superfluous}),
    kept as (
      select thread_id, checkpoint_ns, checkpoint_id from placed
      except
      select thread_id, checkpoint_ns, checkpoint_id from superfluous),
    ${deltaAncestors(threadIds)},
    doomed as (
      select thread_id, checkpoint_ns, checkpoint_id from superfluous
      except
      select thread_id, checkpoint_ns, checkpoint_id from needed_checkpoints)`;
}

/**
 * Deletes the blobs that no checkpoint needs. A statement of its own is necessary, because the statement that deletes the checkpoints still
 * sees these checkpoints.
 */
async function deleteUnneededBlobs(tx: Db, threadIds: string[]): Promise<void> {
  await tx.query(sql`
    with ${neededBlobs(threadIds)}
    delete from checkpoint_blobs b
     where b.thread_id = any(${threadIds}::text[])
       and not exists (select from needed n
                        where n.thread_id = b.thread_id and n.checkpoint_ns = b.checkpoint_ns
                          and n.channel = b.channel and n.version = b.version)`);
}
