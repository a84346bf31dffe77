import type { RunnableConfig } from "@langchain/core/runnables";
import {
  type ChannelVersions,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointTuple,
  ERROR,
  INTERRUPT,
  isDeltaSnapshot,
  type PendingWrite,
  WRITES_IDX_MAP,
} from "@langchain/langgraph-checkpoint";
import { PostgresSaver } from "@langchain/langgraph-checkpoint-postgres";
import type pg from "pg";
import { batched } from "../db/batched.ts";
import { isDatabaseTrouble } from "../db/failure.ts";
import type { Fence } from "../db/fence.ts";
import { type Db, type Sql, sql } from "../db/sql.ts";
import { type ChannelLists, createChannelLists } from "./channel-lists.ts";
import { withoutCounters } from "./delta-ancestors.ts";
import { readHistory } from "./history.ts";
import { deleteThreadCheckpoints } from "./lifecycle.ts";
import { newestFirst } from "./order.ts";
import { readCheckpoints, type StoredCheckpoint } from "./read.ts";
import { explainRefusal, refuseUnsendable } from "./refusals.ts";
import { replaceWrites } from "./replaced-writes.ts";
import { type BlobRow, type CheckpointRows, isAlike, joinRows, noRows, storeRows, type WriteRow } from "./rows.ts";
import { dumpState, keepingImpostors } from "./serializer.ts";
import { isOld, toTuple, type ValueReader, valueReader } from "./tuple.ts";

/** The parts of a run's attempt that the checkpoint saver uses. */
export interface SaverAttempt {
  fence: Fence;
  /** Stores rows in one statement with other waiting rows of the attempt. Resolves to false if the attempt has lost the right to write. */
  store: (rows: CheckpointRows) => Promise<boolean>;
  /** Calls `work`, which runs a statement of the attempt. Rejects with `Refused` if the database will never accept this statement. */
  unlessRefused: <T>(work: () => Promise<T>) => Promise<T>;
  /** True if nothing has ever been stored for the thread. */
  isFresh: boolean;
  /**
   * The saver calls this function if a write was refused or has failed. The attempt must then end, and its later writes and events must be
   * ignored.
   */
  refused: (reason: Error) => void;
  /** Returns the name of the node whose writes are stored next, for error messages. Returns undefined if the node is unknown. */
  currentNode: () => string | undefined;
  /** Receives the super-steps and tasks of nested graphs, because the stream of the outer graph does not report them. */
  nested: {
    noteNestedStep(namespace: string, step: number): void;
    noteNestedTask(namespace: string, taskId: string, name: string | undefined, end: TaskEnd): void;
  };
  /**
   * Resolves when the run's event log has room for more events. A checkpoint waits for this promise, and the next step waits for the
   * checkpoint. A run thus cannot produce events faster than they are stored.
   */
  room: () => Promise<void>;
}

/** The error of an attempt that has lost the right to write. Either a newer attempt has begun, or the run was ended or deleted. */
export class LostRight extends Error {
  constructor({ runId, attempt }: Fence) {
    super(`Attempt ${attempt} of run ${runId} no longer holds the right to write.`);
    this.name = "LostRight";
  }
}

interface TaskEnd {
  outcome: "success" | "error" | "interrupted";
  error?: string;
}

interface Address {
  threadId: string;
  namespace: string;
  checkpointId: string | undefined;
}

/**
 * Saves checkpoints in the tables of LangGraph's PostgresSaver. It differs from PostgresSaver in two ways:
 * - It works on any `Db`, and each call uses at most one statement.
 * - An attempt can write only while it holds the right to write, and each checkpoint names its run.
 *
 * LangGraph's own saver can read these rows, except lists that are spread over several rows. `ensemble export` rewrites such lists into one
 * row each.
 */
export class EnsembleSaver extends PostgresSaver {
  readonly #db: Db;
  readonly #metadata: Record<string, unknown>;
  readonly #attempt: SaverAttempt | undefined;
  /**
   * Stores rows. Concurrent calls share one statement. For example, the writes of a step and the checkpoint after the step are stored
   * together.
   */
  readonly #storeBatched: (rows: CheckpointRows) => Promise<void>;
  /**
   * True after the first refused write. After that, the saver sends no writes, so the thread never holds a step without the steps before
   * it.
   */
  #refused = false;
  readonly #lists: ChannelLists;
  readonly #values: ValueReader;
  /** True while the thread is known to have no checkpoints. Becomes false at the first write of this attempt. */
  #isEmpty: boolean;

  constructor(db: Db, metadata: Record<string, unknown> = {}, attempt?: SaverAttempt) {
    // The base class expects a pool. The methods that this class inherits call only `query`, which every `Db` has.
    super(db as unknown as pg.Pool);
    const serializer = keepingImpostors(this.serde);
    this.serde = serializer;
    this.#lists = createChannelLists(serializer);
    this.#values = valueReader(serializer, this.#lists);
    this.#db = db;
    this.#metadata = metadata;
    this.#attempt = attempt;
    this.#storeBatched = batched(async (parts: CheckpointRows[]) => {
      await storeRows(db, joinRows(parts));
      return parts.map(() => undefined);
    });
    this.#isEmpty = attempt?.isFresh ?? false;
  }

  /**
   * Returns a version that no other branch of the thread can have. Plain counters would repeat after a fork or a rollback. Each version's
   * blob is stored only once, so the new branch would then silently read the values of the abandoned branch.
   */
  override getNextVersion(current: number | undefined): number {
    return Math.floor(current ?? 0) + 1 + Math.random();
  }

  override async put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions: ChannelVersions,
  ): Promise<RunnableConfig> {
    const { threadId, namespace, checkpointId: parentId } = addressOf(config);
    const next = { configurable: { thread_id: threadId, checkpoint_ns: namespace, checkpoint_id: checkpoint.id } };
    const { channel_values: values, ...bare } = checkpoint;
    if (namespace !== "") this.#attempt?.nested.noteNestedStep(namespace, metadata.step);
    await this.#attempt?.room();
    await this.#writeOrAbort(() => ({
      ...noRows,
      blobs: Object.entries(newVersions).map(([channel, version]) =>
        this.#blobOf({ threadId, namespace, channel, version: String(version) }, channel in values, values[channel]),
      ),
      checkpoints: [
        {
          threadId,
          namespace,
          checkpointId: checkpoint.id,
          parentId,
          checkpoint: JSON.stringify(bare),
          metadata: JSON.stringify({ ...withoutCounters(this.#metadata), ...withSnapshots(metadata, values) }),
        },
      ],
    }));
    return next;
  }

  #blobOf(place: Omit<BlobRow, "value">, hasValue: boolean, value: unknown): BlobRow {
    if (!hasValue) return { ...place, value: undefined };
    return { ...place, ...(Array.isArray(value) ? this.#lists.dump(place, value) : { value: dumpState(value, place.channel) }) };
  }

  override async putWrites(config: RunnableConfig, writes: PendingWrite[], taskId: string): Promise<void> {
    const { threadId, namespace, checkpointId } = addressOf(config);
    if (checkpointId === undefined) throw new Error("Writes need a checkpoint_id in their configurable.");
    const rowsOf = (): WriteRow[] =>
      writes.map(([channel, value], index) => ({
        threadId,
        namespace,
        checkpointId,
        taskId,
        idx: WRITES_IDX_MAP[channel] ?? index,
        channel,
        value: dumpState(value, channel),
      }));
    if (writes.length === 0) return;
    if (namespace !== "") this.#noteNestedTask(namespace, taskId, writes);
    // A task has at most one error, one interrupt and one resume value. A new value of these kinds replaces the old one. All other writes
    // are stored once and never replaced.
    const replaces = writes.every(([channel]) => channel in WRITES_IDX_MAP);
    if (replaces) await this.#orAbort(() => ({ ...noRows, writes: rowsOf() }), this.#replaceWrites);
    else await this.#writeOrAbort(() => ({ ...noRows, writes: rowsOf() }));
  }

  #noteNestedTask(namespace: string, taskId: string, writes: PendingWrite[]): void {
    const { nested, currentNode } = this.#attempt ?? {};
    const failed = writes.find(([channel]) => channel === ERROR);
    const isInterrupted = writes.some(([channel]) => channel === INTERRUPT);
    const { name, message } = Object(failed?.[1]);
    // After a failure or an interrupt, the node's name is unknown, because LangGraph reports it only when the node has finished.
    if (failed) nested?.noteNestedTask(namespace, taskId, undefined, { outcome: "error", error: `${name}: ${message}` });
    else if (isInterrupted) nested?.noteNestedTask(namespace, taskId, undefined, { outcome: "interrupted" });
    else nested?.noteNestedTask(namespace, taskId, currentNode?.(), { outcome: "success" });
  }

  #replaceWrites = ({ writes }: CheckpointRows): Promise<boolean> =>
    this.#unlessRefused(() => replaceWrites(this.#db, this.#attempt?.fence, writes));

  #unlessRefused<T>(work: () => Promise<T>): Promise<T> {
    return this.#attempt ? this.#attempt.unlessRefused(work) : work();
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    if (this.#isEmpty || config.configurable?.thread_id === undefined) return undefined;
    const { threadId, namespace, checkpointId } = addressOf(config);
    const place = sql`select * from checkpoints where thread_id = ${threadId} and checkpoint_ns = ${namespace}`;
    const selection = checkpointId ? sql`${place} and checkpoint_id = ${checkpointId}` : sql`${place} order by ${newestFirst} limit 1`;
    const name = checkpointId ? "read checkpoint" : "read newest checkpoint";
    const read = this.#unlessRefused(() => readCheckpoints(this.#db, selection, name));
    const [stored] = await read.catch((error) => this.#noteTrouble(error));
    if (!stored) return undefined;
    // Checkpoints of older LangGraph releases need the pending sends of their parents, which the base class can read.
    if (isOld(stored)) return super.getTuple(config).catch((error) => this.#noteTrouble(error));
    return toTuple(stored, this.#values);
  }

  override async *list(config: RunnableConfig, options?: CheckpointListOptions): AsyncGenerator<CheckpointTuple> {
    const read = (selection: Sql) => readCheckpoints(this.#db, selection).catch((error) => this.#noteTrouble(error));
    for await (const stored of readHistory(read, config, options)) yield await this.#toTupleOrOld(stored);
  }

  async #toTupleOrOld(stored: StoredCheckpoint): Promise<CheckpointTuple> {
    const { threadId: thread_id, namespace: checkpoint_ns, checkpointId: checkpoint_id } = stored;
    const old = isOld(stored) ? await super.getTuple({ configurable: { thread_id, checkpoint_ns, checkpoint_id } }) : undefined;
    return old ?? toTuple(stored, this.#values);
  }

  override async deleteThread(threadId: string): Promise<void> {
    await deleteThreadCheckpoints(this.#db, threadId);
  }

  /**
   * Stores rows. During an attempt, a failure aborts the attempt. `rowsOf` serialises the values, and is called before the first await. If
   * a value cannot be stored, neither the writes of the step nor its checkpoint are stored.
   */
  async #writeOrAbort(rowsOf: () => CheckpointRows): Promise<void> {
    const attempt = this.#attempt;
    if (!attempt) await this.#storeWithoutAttempt(rowsOf());
    else await this.#orAbort(rowsOf, attempt.store);
  }

  /**
   * Stores rows that belong to no attempt. Small rows share a statement. Rows with large values are sent in a separate statement, because
   * the server needs a long time for them.
   */
  async #storeWithoutAttempt(rows: CheckpointRows): Promise<void> {
    return isAlike(rows) ? this.#storeBatched(rows) : storeRows(this.#db, rows);
  }

  /**
   * Stores rows. During an attempt, a failure aborts the attempt, and the returned promise never rejects. LangGraph awaits some of these
   * promises late, and an unhandled rejection would end the process.
   */
  async #orAbort(rowsOf: () => CheckpointRows, store: (rows: CheckpointRows) => Promise<boolean>): Promise<void> {
    const attempt = this.#attempt;
    this.#isEmpty = false;
    if (this.#refused) return;
    if (!attempt) return void (await store(rowsOf()));
    const node = attempt.currentNode();
    let rows = noRows;
    try {
      rows = rowsOf();
      refuseUnsendable(rows);
      if (!(await store(rows))) this.#refuse(attempt, new LostRight(attempt.fence));
    } catch (error) {
      this.#refuse(attempt, explainRefusal(error as Error, node, rows));
    }
  }

  /**
   * Reports a database error to the attempt, and rethrows the error. Only the saver can report it, because other code cannot distinguish
   * this error from one that a node threw.
   */
  #noteTrouble(error: Error): never {
    if (this.#attempt && isDatabaseTrouble(error)) this.#refuse(this.#attempt, error);
    throw error;
  }

  #refuse(attempt: SaverAttempt, reason: Error): void {
    this.#refused = true;
    attempt.refused(reason);
  }
}

/**
 * Returns the metadata with a counter of 0 for each DeltaChannel whose whole value is in this checkpoint. LangGraph omits these counters
 * and treats a missing counter as 0. Pruning needs the counters, because it finds the DeltaChannels of a thread by them.
 */
function withSnapshots(metadata: CheckpointMetadata, values: Checkpoint["channel_values"]): CheckpointMetadata {
  const whole = Object.keys(values).filter((channel) => isDeltaSnapshot(values[channel]));
  if (whole.length === 0) return metadata;
  const counters = { ...metadata.counters_since_delta_snapshot, ...Object.fromEntries(whole.map((channel) => [channel, [0, 0] as const])) };
  return { ...metadata, counters_since_delta_snapshot: counters as Record<string, [number, number]> };
}

function addressOf(config: RunnableConfig): Address {
  const { thread_id, checkpoint_ns, checkpoint_id } = config.configurable ?? {};
  if (typeof thread_id !== "string") throw new Error("A checkpoint needs a thread_id in its configurable.");
  return { threadId: thread_id, namespace: checkpoint_ns ?? "", checkpointId: checkpoint_id };
}
