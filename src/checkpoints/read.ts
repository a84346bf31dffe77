import { type Db, prepared, type Sql, sql } from "../db/sql.ts";

/** A value as it stands in its table: text where it is JSON, so that nothing is written out in hex on its way. */
export interface StoredValue {
  type: string;
  text: string | null;
  bytes: Buffer | null;
}

export interface StoredWrite extends StoredValue {
  taskId: string;
  channel: string;
}

/** A checkpoint with all that belongs to it. */
export interface StoredCheckpoint {
  threadId: string;
  namespace: string;
  checkpointId: string;
  parentId: string | null;
  checkpoint: Json;
  metadata: Json;
  /** By channel; those of the same version are the same object in all checkpoints that were read together. */
  values: Map<string, StoredValue>;
  writes: StoredWrite[];
}

export type Json = Record<string, unknown>;

interface Row extends StoredValue {
  kind: "checkpoint" | "value" | "write";
  threadId: string;
  namespace: string;
  checkpointId: string;
  parentId: string | null;
  /** Of a checkpoint what it is, of a value its version. */
  content: string;
  metadata: string | null;
  channel: string;
  taskId: string;
}

const asText = (value: Sql, type: Sql) => sql`case when ${type} = 'json' then convert_from(${value}, 'UTF8') end as text`;
const asBytes = (value: Sql, type: Sql) => sql`case when ${type} <> 'json' then ${value} end as bytes`;

/**
 * The checkpoints of a selection (their columns, in the order of the table), newest first, with their values and pending writes. A value
 * that several of them have is read once.
 */
export async function readCheckpoints(db: Db, selection: Sql, name?: string): Promise<StoredCheckpoint[]> {
  const statement = sql`
    with found as materialized (${selection}),
    versions as (
      select distinct f.thread_id, f.checkpoint_ns, v.key as channel, v.value as version
        from found f cross join lateral jsonb_each_text(f.checkpoint -> 'channel_versions') v)
    select 'checkpoint' as kind, thread_id as "threadId", checkpoint_ns as namespace, checkpoint_id as "checkpointId",
           parent_checkpoint_id as "parentId", checkpoint::text as content, metadata::text as metadata,
           null as channel, null as "taskId", null as type, null as text, null::bytea as bytes, 0 as idx
      from found
     union all
    select 'value', b.thread_id, b.checkpoint_ns, null, null, b.version, null, b.channel, null, b.type,
           ${asText(sql`b.blob`, sql`b.type`)}, ${asBytes(sql`b.blob`, sql`b.type`)}, 0
      from versions join checkpoint_blobs b using (thread_id, checkpoint_ns, channel, version)
     union all
    select 'write', w.thread_id, w.checkpoint_ns, w.checkpoint_id, null, null, null, w.channel, w.task_id, w.type,
           ${asText(sql`w.blob`, sql`w.type`)}, ${asBytes(sql`w.blob`, sql`w.type`)}, w.idx
      from found join checkpoint_writes w using (thread_id, checkpoint_ns, checkpoint_id)
     order by "taskId", idx`;
  const { rows } = await db.query<Row>(name ? prepared(name, statement) : statement);
  return gather(rows);
}

const placeOf = (...parts: string[]) => parts.join("\n");

function gather(rows: Row[]): StoredCheckpoint[] {
  const byKind = Map.groupBy(rows, ({ kind }) => kind);
  const values = new Map((byKind.get("value") ?? []).map((row) => [placeOf(row.threadId, row.namespace, row.channel, row.content), row]));
  const writes = Map.groupBy(byKind.get("write") ?? [], (row) => placeOf(row.threadId, row.namespace, row.checkpointId));
  const checkpoints = (byKind.get("checkpoint") ?? []).map(({ threadId, namespace, checkpointId, parentId, content, metadata }) => {
    const checkpoint: Json & { channel_versions?: Record<string, string | number> } = JSON.parse(content);
    const ofChannels = Object.entries(checkpoint.channel_versions ?? {}).flatMap(([channel, version]) => {
      const value = values.get(placeOf(threadId, namespace, channel, String(version)));
      return value ? [[channel, value] as const] : [];
    });
    return {
      threadId,
      namespace,
      checkpointId,
      parentId,
      checkpoint,
      metadata: JSON.parse(metadata ?? "{}") as Json,
      values: new Map(ofChannels),
      writes: writes.get(placeOf(threadId, namespace, checkpointId)) ?? [],
    };
  });
  return checkpoints.sort((a, b) => (a.checkpointId < b.checkpointId ? 1 : -1));
}
