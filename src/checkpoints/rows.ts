import { largeDocument } from "../db/batched.ts";
import { sealable } from "../db/sealable.ts";
import { type Db, join, nothing, prepared, type Sql, sql } from "../db/sql.ts";
import { bytesOf, type Dumped } from "./serializer.ts";

/** The thread and the namespace to which a row belongs. */
interface Place {
  threadId: string;
  namespace: string;
}

export interface BlobRow extends Place {
  channel: string;
  version: string;
  /** The channel's value, or undefined if the channel is empty in this version. */
  value: Dumped | undefined;
  /**
   * The earlier version of the channel that holds the first items of the list. This row holds only the items after them. Undefined if the
   * row holds a whole value.
   */
  base?: string | undefined;
}

export interface WriteRow extends Place {
  checkpointId: string;
  taskId: string;
  idx: number;
  channel: string;
  value: Dumped;
}

export interface CheckpointRow extends Place {
  checkpointId: string;
  parentId: string | undefined;
  checkpoint: string;
  metadata: string;
  /** The trace spans of the run since the run's previous checkpoint, as JSON. */
  spans?: string | undefined;
}

/** The rows that a saver stores in one statement. */
export interface CheckpointRows {
  blobs: BlobRow[];
  writes: WriteRow[];
  checkpoints: CheckpointRow[];
}

export const noRows: CheckpointRows = { blobs: [], writes: [], checkpoints: [] };

/** Merges sets of rows into one set. If a checkpoint occurs twice, the later row wins, because one statement cannot write a row twice. */
export function joinRows(parts: CheckpointRows[]): CheckpointRows {
  const checkpoints = new Map(parts.flatMap((part) => part.checkpoints.map((row) => [`${row.namespace}\n${row.checkpointId}`, row])));
  return {
    blobs: parts.flatMap(({ blobs }) => blobs),
    writes: parts.flatMap(({ writes }) => writes),
    checkpoints: [...checkpoints.values()],
  };
}

/**
 * Tells whether a value is sent as a separate binary parameter, because it is binary or large. As text inside an array, a large value would
 * take about twice as many bytes.
 */
const isLarge = ({ value }: { value: Dumped | undefined }) =>
  value !== undefined && (value.type === "bytes" || value.text.length > largeDocument);

/**
 * Tells whether all values of these rows are small. The statement for small rows always has the same text, so the server plans it only
 * once.
 */
export const isAlike = ({ blobs, writes }: CheckpointRows) => !blobs.some(isLarge) && !writes.some(isLarge);

/** Rows to store, and the id of their run. `runId` is null if the rows belong to no run. */
export interface OwnedRows {
  runId: string | null;
  rows: CheckpointRows;
}

type Owned<Row> = Row & Pick<OwnedRows, "runId">;

/**
 * Stores rows that belong to no run, such as the rows of a state update. Unlike the rows of a run, these rows need no check that an attempt
 * may still write.
 */
export async function storeRows(db: Db, rows: CheckpointRows): Promise<void> {
  const statement = sql`with fence as (select null::uuid as run_id), ${storingRows([{ runId: null, rows }])} select 1 from fence`;
  await db.query(isAlike(rows) ? prepared("store rows without a run", statement) : statement);
}

/**
 * Returns the `with` queries that store rows. In the statement, these queries must follow the query `fence`, which selects the runs whose
 * attempts may write. Rows of other runs are not stored.
 */
export function storingRows(parts: OwnedRows[]): Sql {
  const owned = <Row>(rowsOf: (rows: CheckpointRows) => Row[]): Owned<Row>[] =>
    parts.flatMap(({ runId, rows }) => rowsOf(rows).map((row) => ({ ...row, runId })));
  const blobs = owned(({ blobs }) => blobs);
  const writes = owned(({ writes }) => writes);
  return sql`${storingBlobs(blobs)}, ${storingWrites(writes)}, ${storingCheckpoints(owned(({ checkpoints }) => checkpoints))}`;
}

function storingBlobs(rows: Owned<BlobRow>[]): Sql {
  const small = rows.filter((row) => !isLarge(row));
  const large = rows.filter(isLarge);
  return sql`
    stored_blobs as (
      insert into checkpoint_blobs (thread_id, checkpoint_ns, channel, version, base, type, blob, run_id)
      select b.thread_id, b.checkpoint_ns, b.channel, b.version, b.base, b.type, convert_to(b.value, 'UTF8'), fence.run_id
        from unnest(${small.map((b) => b.runId)}::uuid[], ${small.map((b) => b.threadId)}::text[], ${small.map((b) => b.namespace)}::text[],
                           ${small.map((b) => b.channel)}::text[], ${small.map((b) => b.version)}::text[], ${small.map((b) => b.base ?? null)}::text[],
                           ${small.map((b) => b.value?.type ?? "empty")}::text[], ${small.map((b) => sealable("checkpoint_blobs.blob", b.value?.text))}::text[])
                    as b (run_id, thread_id, checkpoint_ns, channel, version, base, type, value)
        join fence on fence.run_id is not distinct from b.run_id
          on conflict do nothing)
    ${
      large.length === 0
        ? nothing
        : sql`, large_blobs as (
      insert into checkpoint_blobs (thread_id, checkpoint_ns, channel, version, base, type, blob, run_id)
      select b.thread_id, b.checkpoint_ns, b.channel, b.version, b.base, b.type, b.value, fence.run_id
        from (values ${join(large.map((b) => sql`(${b.runId}::uuid, ${b.threadId}::text, ${b.namespace}::text, ${b.channel}::text, ${b.version}::text, ${b.base ?? null}::text, ${b.value?.type}::text, ${sealable("checkpoint_blobs.blob", b.value && bytesOf(b.value))}::bytea)`))})
                    as b (run_id, thread_id, checkpoint_ns, channel, version, base, type, value)
        join fence on fence.run_id is not distinct from b.run_id
          on conflict do nothing)`
    }`;
}

function storingWrites(rows: Owned<WriteRow>[]): Sql {
  const small = rows.filter((row) => !isLarge(row));
  const large = rows.filter(isLarge);
  return sql`
    stored_writes as (
      insert into checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, run_id)
      select w.thread_id, w.checkpoint_ns, w.checkpoint_id, w.task_id, w.idx, w.channel, w.type, convert_to(w.value, 'UTF8'), fence.run_id
        from unnest(${small.map((w) => w.runId)}::uuid[], ${small.map((w) => w.threadId)}::text[], ${small.map((w) => w.namespace)}::text[],
                           ${small.map((w) => w.checkpointId)}::text[], ${small.map((w) => w.taskId)}::text[],
                           ${small.map((w) => w.idx)}::integer[], ${small.map((w) => w.channel)}::text[],
                           ${small.map((w) => w.value.type)}::text[], ${small.map((w) => sealable("checkpoint_writes.blob", w.value.text))}::text[])
                    as w (run_id, thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, value)
        join fence on fence.run_id is not distinct from w.run_id
          on conflict do nothing)
    ${
      large.length === 0
        ? nothing
        : sql`, large_writes as (
      insert into checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, run_id)
      select w.thread_id, w.checkpoint_ns, w.checkpoint_id, w.task_id, w.idx, w.channel, w.type, w.value, fence.run_id
        from (values ${join(large.map((w) => sql`(${w.runId}::uuid, ${w.threadId}::text, ${w.namespace}::text, ${w.checkpointId}::text, ${w.taskId}::text, ${w.idx}::integer, ${w.channel}::text, ${w.value.type}::text, ${sealable("checkpoint_writes.blob", bytesOf(w.value))}::bytea)`))})
                    as w (run_id, thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, value)
        join fence on fence.run_id is not distinct from w.run_id
          on conflict do nothing)`
    }`;
}

/**
 * Returns the query that stores checkpoints, and numbers them in the given order. The column `place` holds this order, because the join
 * with `fence` would lose it. A checkpoint that is stored again keeps its number.
 */
function storingCheckpoints(rows: Owned<CheckpointRow>[]): Sql {
  return sql`
    stored_checkpoints as (
      insert into checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata, spans, run_id)
      select c.thread_id, c.checkpoint_ns, c.checkpoint_id, c.parent_id, c.checkpoint::jsonb, searchable(c.metadata::json), c.spans,
             fence.run_id
        from unnest(${rows.map((c) => c.runId)}::uuid[], ${rows.map((c) => c.threadId)}::text[], ${rows.map((c) => c.namespace)}::text[],
                           ${rows.map((c) => c.checkpointId)}::text[], ${rows.map((c) => c.parentId ?? null)}::text[],
                           ${rows.map((c) => c.checkpoint)}::text[], ${rows.map((c) => sealable("checkpoints.metadata", c.metadata))}::text[],
                           ${rows.map((c) => sealable("checkpoints.spans", c.spans))}::text[])
             with ordinality as c (run_id, thread_id, checkpoint_ns, checkpoint_id, parent_id, checkpoint, metadata, spans, place)
        join fence on fence.run_id is not distinct from c.run_id
       order by c.place
          on conflict (thread_id, checkpoint_ns, checkpoint_id)
          do update set checkpoint = excluded.checkpoint, metadata = excluded.metadata)`;
}
