import { type Db, sql } from "../db/sql.ts";

/**
 * Rewrites all lists so that each row holds a whole list, as LangGraph's own saver expects. The lists then need as much space as with that
 * saver. Later runs of this service still store only the added items of a list. Returns the number of rewritten rows.
 */
export async function exportLists(db: Db): Promise<number> {
  const { rows } = await db.query<{ threadId: string }>(sql`
    select distinct thread_id as "threadId" from checkpoint_blobs where type = 'list'`);
  let exported = 0;
  for (const { threadId } of rows) exported += await exportListsOf(db, threadId);
  return exported;
}

/**
 * Rewrites a thread's lists so that each row holds a whole list. Uses a single statement, because a list must be built from rows that are
 * not yet rewritten.
 */
async function exportListsOf(db: Db, threadId: string): Promise<number> {
  const { rowCount } = await db.query(sql`
    with recursive parts (checkpoint_ns, channel, version, base, depth, items) as (
      select checkpoint_ns, channel, version, base, 0, convert_from(blob, 'UTF8')
        from checkpoint_blobs where thread_id = ${threadId} and type = 'list'
       union all
      select p.checkpoint_ns, p.channel, p.version, b.base, p.depth + 1, convert_from(b.blob, 'UTF8')
        from parts p join checkpoint_blobs b
          on b.thread_id = ${threadId} and b.checkpoint_ns = p.checkpoint_ns and b.channel = p.channel and b.version = p.base),
    whole as (
      select checkpoint_ns, channel, version,
             '[' || coalesce(string_agg(nullif(substr(items, 2, length(items) - 2), ''), ',' order by depth desc), '') || ']' as items
        from parts group by checkpoint_ns, channel, version)
    update checkpoint_blobs b set type = 'json', base = null, blob = convert_to(whole.items, 'UTF8')
      from whole
     where b.thread_id = ${threadId} and b.checkpoint_ns = whole.checkpoint_ns and b.channel = whole.channel and b.version = whole.version`);
  return rowCount ?? 0;
}
