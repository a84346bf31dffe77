import { type Db, prepared, type Sql, sql } from "../db/sql.ts";
import { newestFirst } from "./order.ts";

/**
 * A stored value, as the query returns it. JSON is in `text`, and all other values are in `bytes`. JSON is read as text, because Postgres
 * sends bytes in hex, which is twice as long.
 */
export interface StoredValue {
  type: string;
  text: string | null;
  bytes: Buffer | null;
}

export interface StoredWrite extends StoredValue {
  taskId: string;
  channel: string;
}

/** A checkpoint with its values and pending writes. */
export interface StoredCheckpoint {
  threadId: string;
  namespace: string;
  checkpointId: string;
  parentId: string | null;
  checkpoint: Json;
  metadata: Json;
  /**
   * The rows of each channel's value, by the channel's name. A list may have several rows, and the row with the first items comes first.
   * Checkpoints with the same version of a channel share the row objects.
   */
  values: Map<string, ListRow[]>;
  writes: StoredWrite[];
}

export type Json = Record<string, unknown>;

/** A row of a channel's value. It holds a whole value, or the items that one version adds to a list. */
export interface ListRow extends StoredValue {
  version: string;
  /** The version whose items precede the items of this row. Null if this row begins the list or holds a whole value. */
  base: string | null;
}

interface Row extends StoredValue {
  kind: "checkpoint" | "value" | "write";
  threadId: string;
  namespace: string;
  checkpointId: string;
  /**
   * For a checkpoint: the id of its parent. For a row of a list: the version whose items come before the row's items. Null if there is
   * none.
   */
  parentId: string | null;
  /** For a checkpoint: its JSON. For a value: the version of the value. */
  content: string;
  metadata: string | null;
  channel: string;
  taskId: string;
}

const asText = (value: Sql, type: Sql) => sql`case when ${type} in ('json', 'list') then convert_from(${value}, 'UTF8') end as text`;
const asBytes = (value: Sql, type: Sql) => sql`case when ${type} not in ('json', 'list') then ${value} end as bytes`;

/**
 * Returns the selected checkpoints with their values and pending writes, newest first. The selection must yield all columns, in the order
 * of the table. A value that several checkpoints share is read only once.
 *
 * The statement contains `offset 0`, so that the planner does not read a whole table. The planner overestimates the number of rows in
 * `versions`, and would therefore not look up the few blobs by their keys.
 */
export async function readCheckpoints(db: Db, selection: Sql, name?: string): Promise<StoredCheckpoint[]> {
  const statement = sql`
    with recursive found as materialized (${selection}),
    versions (thread_id, checkpoint_ns, channel, version) as (
      select f.thread_id, f.checkpoint_ns, v.key, v.value
        from found f cross join lateral jsonb_each_text(f.checkpoint -> 'channel_versions') v
       union
      select v.thread_id, v.checkpoint_ns, v.channel, b.base
        from versions v cross join lateral (
          select base from checkpoint_blobs b
           where (b.thread_id, b.checkpoint_ns, b.channel, b.version) = (v.thread_id, v.checkpoint_ns, v.channel, v.version) offset 0) b
       where b.base is not null)
    select 'checkpoint' as kind, thread_id as "threadId", checkpoint_ns as namespace, checkpoint_id as "checkpointId",
           parent_checkpoint_id as "parentId", checkpoint::text as content, metadata::text as metadata,
           null as channel, null as "taskId", null as type, null as text, null::bytea as bytes,
           row_number() over (order by ${newestFirst})::integer as idx
      from found
     union all
    select 'value', b.thread_id, b.checkpoint_ns, null, b.base, b.version, null, b.channel, null, b.type,
           ${asText(sql`b.blob`, sql`b.type`)}, ${asBytes(sql`b.blob`, sql`b.type`)}, 0
      from versions v cross join lateral (
        select * from checkpoint_blobs b
         where (b.thread_id, b.checkpoint_ns, b.channel, b.version) = (v.thread_id, v.checkpoint_ns, v.channel, v.version) offset 0) b
     union all
    select 'write', w.thread_id, w.checkpoint_ns, w.checkpoint_id, null, null, null, w.channel, w.task_id, w.type,
           ${asText(sql`w.blob`, sql`w.type`)}, ${asBytes(sql`w.blob`, sql`w.type`)}, w.idx
      from found join checkpoint_writes w using (thread_id, checkpoint_ns, checkpoint_id)
     order by "taskId", idx`;
  const { rows } = await db.query<Row>(name ? prepared(name, statement) : statement);
  return toCheckpoints(rows);
}

/**
 * Returns the rows of a channel's value at a version. The row of that version comes last. If this row holds only the last items of a list,
 * follows `base` to the rows with the earlier items.
 */
function rowsOf(values: Map<string, ListRow>, place: string[], version: string): ListRow[] {
  const rows: ListRow[] = [];
  for (let at: string | null = version; at !== null; ) {
    const row: ListRow | undefined = values.get(placeOf(...place, at));
    if (!row && rows.length > 0) throw new Error(`Version ${at} of ${place.join(" ")} is gone, though ${version} is built on it.`);
    if (row) rows.unshift(row);
    at = row?.base ?? null;
  }
  return rows;
}

const placeOf = (...parts: string[]) => parts.join("\n");

function toCheckpoints(rows: Row[]): StoredCheckpoint[] {
  const byKind = Map.groupBy(rows, ({ kind }) => kind);
  const values = new Map(
    (byKind.get("value") ?? []).map(({ content: version, parentId: base, ...row }) => [
      placeOf(row.threadId, row.namespace, row.channel, version),
      { version, base, type: row.type, text: row.text, bytes: row.bytes },
    ]),
  );
  const writes = Map.groupBy(byKind.get("write") ?? [], (row) => placeOf(row.threadId, row.namespace, row.checkpointId));
  return (byKind.get("checkpoint") ?? []).map(({ threadId, namespace, checkpointId, parentId, content, metadata }) => {
    const checkpoint: Json & { channel_versions?: Record<string, string | number> } = JSON.parse(content);
    const rowsOfChannels = Object.entries(checkpoint.channel_versions ?? {}).flatMap(([channel, version]) => {
      const rows = rowsOf(values, [threadId, namespace, channel], String(version));
      return rows.length > 0 ? [[channel, rows] as const] : [];
    });
    return {
      threadId,
      namespace,
      checkpointId,
      parentId,
      checkpoint,
      metadata: JSON.parse(metadata ?? "{}") as Json,
      values: new Map(rowsOfChannels),
      writes: writes.get(placeOf(threadId, namespace, checkpointId)) ?? [],
    };
  });
}
