import { type Sql, sql } from "../db/sql.ts";

/**
 * Returns a `with` query that selects the blobs that the threads' checkpoints need. A statement can then delete all other blobs. A
 * checkpoint needs the blobs of its channels' versions. If such a blob holds only the last items of a list, the checkpoint also needs the
 * blobs with the earlier items.
 */
export function neededBlobs(threadIds: string[]): Sql {
  return sql`recursive needed (thread_id, checkpoint_ns, channel, version) as (
    select c.thread_id, c.checkpoint_ns, v.key, v.value
      from checkpoints c cross join lateral jsonb_each_text(c.checkpoint -> 'channel_versions') v
     where c.thread_id = any(${threadIds}::text[])
     union
    select n.thread_id, n.checkpoint_ns, n.channel, b.base
      from needed n cross join lateral (
        select base from checkpoint_blobs b
         where (b.thread_id, b.checkpoint_ns, b.channel, b.version) = (n.thread_id, n.checkpoint_ns, n.channel, n.version) offset 0) b
     where b.base is not null)`;
}
