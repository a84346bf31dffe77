import { type Sql, sql } from "../db/sql.ts";

/**
 * The metadata key under which LangGraph counts the updates of each DeltaChannel in a checkpoint. The value has a field for each channel.
 */
const countersKey = "counters_since_delta_snapshot";

/** Returns a caller's metadata without the key that only LangGraph may set. */
export function withoutCounters({ [countersKey]: _, ...metadata }: Record<string, unknown>): Record<string, unknown> {
  return metadata;
}

/**
 * Returns the metadata of a stored checkpoint without counters that LangGraph cannot read. A run would otherwise fail at each attempt.
 * Earlier releases stored such counters if a client had sent them.
 */
export function withReadableCounters(metadata: Record<string, unknown>): Record<string, unknown> {
  const counters = metadata[countersKey];
  if (counters === undefined) return metadata;
  const readable = Object.entries(counters ?? {}).filter(([, counter]) => isCounter(counter));
  return { ...withoutCounters(metadata), ...(readable.length > 0 && { [countersKey]: Object.fromEntries(readable) }) };
}

/** Tells whether a value counts the updates and the steps of a DeltaChannel. */
const isCounter = (value: unknown) => Array.isArray(value) && value.length === 2 && value.every(Number.isInteger);

/**
 * Returns `with recursive` queries that select the checkpoints from which LangGraph rebuilds the values of DeltaChannels. Most checkpoints
 * store no value of such a channel. LangGraph then walks back to the nearest ancestor with a value, or to the first checkpoint. It applies
 * the writes on the way.
 *
 * The caller must first define a query `kept` with the primary key columns of `checkpoints`. The query `needed_checkpoints` selects the
 * kept checkpoints and the ancestors that they need. In the query `walk`, `is_ancestor` marks the checkpoints whose writes are needed.
 *
 * The statements contain `offset 0`, so that the planner looks rows up by their keys and never reads a whole table.
 */
export function deltaAncestors(threadIds: string[]): Sql {
  return sql`
    delta_channels (thread_id, checkpoint_ns, channel) as materialized (
      select c.thread_id, c.checkpoint_ns, jsonb_object_keys(case when jsonb_typeof(c.metadata -> ${countersKey}::text) = 'object'
                                                                     then c.metadata -> ${countersKey}::text else '{}' end)
        from checkpoints c
       where c.thread_id = any(${threadIds}::text[]) and c.metadata ? ${countersKey}::text
       union
      ${uncounted}),
    walk (thread_id, checkpoint_ns, checkpoint_id, channel, is_ancestor) as (
      select k.thread_id, k.checkpoint_ns, k.checkpoint_id, d.channel, false
        from kept k join delta_channels d on d.thread_id = k.thread_id and d.checkpoint_ns = k.checkpoint_ns
       union
      select w.thread_id, w.checkpoint_ns, c.parent_checkpoint_id, w.channel, true
        from walk w cross join lateral (
          select parent_checkpoint_id, checkpoint -> 'channel_versions' ->> w.channel as version from checkpoints
           where (thread_id, checkpoint_ns, checkpoint_id) = (w.thread_id, w.checkpoint_ns, w.checkpoint_id) offset 0) c
       where c.parent_checkpoint_id is not null
         and not exists (select from checkpoint_blobs b
                          where (b.thread_id, b.checkpoint_ns, b.channel, b.version) = (w.thread_id, w.checkpoint_ns, w.channel, c.version)
                            and b.type <> 'empty' offset 0)),
    needed_checkpoints as (
      select thread_id, checkpoint_ns, checkpoint_id from kept
       union
      select thread_id, checkpoint_ns, checkpoint_id from walk)`;
}

/**
 * Selects the DeltaChannels that no checkpoint lists in its metadata, because only state updates have written to them. Such a channel has
 * versions and writes, but never a value. Any other channel with a version and a write also has a value. The internal channels of LangGraph
 * are left out.
 */
const uncounted = sql`
  select v.thread_id, v.checkpoint_ns, v.channel
    from (select distinct k.thread_id, k.checkpoint_ns, c.channel
            from kept k cross join lateral (
              select jsonb_object_keys(checkpoint -> 'channel_versions') as channel from checkpoints
               where (thread_id, checkpoint_ns, checkpoint_id) = (k.thread_id, k.checkpoint_ns, k.checkpoint_id) offset 0) c) v
   where not starts_with(v.channel, '__') and not starts_with(v.channel, 'branch:')
     and not exists (select from checkpoint_blobs b
                      where (b.thread_id, b.checkpoint_ns, b.channel) = (v.thread_id, v.checkpoint_ns, v.channel) and b.type <> 'empty' offset 0)
     and exists (select from checkpoint_writes w
                  where (w.thread_id, w.checkpoint_ns, w.channel) = (v.thread_id, v.checkpoint_ns, v.channel) offset 0)`;
