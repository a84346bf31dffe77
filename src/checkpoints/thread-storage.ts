import { type Db, sql } from "../db/sql.ts";

/** The number and the total size of a thread's rows in one table. */
export interface StoredRows {
  count: number;
  bytes: number;
}

/** The size of a thread's checkpoints, before Postgres compresses them. The field names are those of the official LangGraph server. */
export interface ThreadStorage {
  thread_id: string;
  total_bytes: number;
  /** The checkpoints with their metadata. */
  checkpoints: StoredRows;
  /** The values of the graph's channels. Each version of a channel has one row. */
  channel_values: StoredRows & { by_channel: Record<string, { versions: number; bytes: number }> };
  /** The writes of tasks, which are the rows in the table `checkpoint_writes`. */
  pending_writes: StoredRows;
}

/** Returns the size of a thread's checkpoints. */
export async function measureThread(db: Db, threadId: string): Promise<ThreadStorage> {
  const { rows } = await db.query<{ kind: "checkpoint" | "value" | "write"; channel: string | null } & StoredRows>(sql`
    select 'checkpoint' as kind, null as channel, count(*)::integer as count,
           coalesce(sum(octet_length(checkpoint::text) + octet_length(metadata::text)), 0)::double precision as bytes
      from checkpoints where thread_id = ${threadId}
     union all
    select 'value', channel, count(*)::integer, coalesce(sum(octet_length(blob)), 0)::double precision
      from checkpoint_blobs where thread_id = ${threadId} group by channel
     union all
    select 'write', null, count(*)::integer, coalesce(sum(octet_length(blob)), 0)::double precision
      from checkpoint_writes where thread_id = ${threadId}
     order by channel`);
  const sumOf = (kind: string): StoredRows =>
    rows.filter((row) => row.kind === kind).reduce((sum, row) => ({ count: sum.count + row.count, bytes: sum.bytes + row.bytes }), none);
  const [checkpoints, values, writes] = [sumOf("checkpoint"), sumOf("value"), sumOf("write")];
  const channels = rows.flatMap(({ kind, channel, count, bytes }) =>
    kind === "value" && channel !== null ? [[channel, { versions: count, bytes }] as const] : [],
  );
  return {
    thread_id: threadId,
    total_bytes: checkpoints.bytes + values.bytes + writes.bytes,
    checkpoints,
    channel_values: { ...values, by_channel: Object.fromEntries(channels) },
    pending_writes: writes,
  };
}

const none: StoredRows = { count: 0, bytes: 0 };
