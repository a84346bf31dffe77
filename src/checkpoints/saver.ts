import type { RunnableConfig } from "@langchain/core/runnables";
import {
  type ChannelVersions,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointTuple,
  type PendingWrite,
  WRITES_IDX_MAP,
} from "@langchain/langgraph-checkpoint";
import { PostgresSaver } from "@langchain/langgraph-checkpoint-postgres";
import type pg from "pg";
import { batched } from "../db/batched.ts";
import { isDatabaseTrouble } from "../db/failure.ts";
import type { Fence } from "../db/fence.ts";
import { type Db, nothing, sql } from "../db/sql.ts";
import { type Channel, type ChannelLists, createChannelLists } from "./channel-lists.ts";
import { deleteThreadCheckpoints } from "./lifecycle.ts";
import { newestFirst, storedBefore } from "./order.ts";
import { type ListRow, readCheckpoints, type StoredCheckpoint, type StoredValue } from "./read.ts";
import { explainRefusal, refuseUnsendable } from "./refusals.ts";
import { replaceWrites } from "./replaced-writes.ts";
import { type BlobRow, type CheckpointRows, isAlike, joinRows, noRows, storeRows, type WriteRow } from "./rows.ts";
import { dumpState, keepingImpostors, type StateSerializer, UnstorableValue } from "./serializer.ts";

/** The parts of an attempt that its saver needs. */
export interface SaverAttempt {
  fence: Fence;
  /** Stores rows under the fence, with the attempt's other pending rows. Resolves to false when the right is lost. */
  store: (rows: CheckpointRows) => Promise<boolean>;
  /** Runs a statement of the attempt. Rejects with `Refused` if the database will never accept it. */
  unlessRefused: <T>(work: () => Promise<T>) => Promise<T>;
  /** Whether the thread has never stored anything. */
  isFresh: boolean;
  /** Called when a write was refused or failed. Nothing that this attempt does afterwards may count. */
  refused: (reason: Error) => void;
  /** The node whose writes are stored next, for the error message. */
  currentNode: () => string | undefined;
  /** Resolves when the run's event log has room. A checkpoint waits for it, and so does the next step. */
  room: () => Promise<void>;
}

/** The error for a lost right to write: another attempt runs, or the run was ended or deleted. */
export class LostRight extends Error {
  constructor({ runId, attempt }: Fence) {
    super(`Attempt ${attempt} of run ${runId} no longer holds the right to write.`);
    this.name = "LostRight";
  }
}

interface Address {
  threadId: string;
  namespace: string;
  checkpointId: string | undefined;
}

/**
 * Saves checkpoints in the tables of LangGraph's PostgresSaver, and adds what a service needs:
 *
 * - It works on any `Db`, and each call is at most one statement.
 * - The writes of an attempt are fenced, and checkpoints name their run.
 *
 * The stock saver can read its rows, except lists that were stored in parts. `ensemble export` makes those whole again.
 */
export class EnsembleSaver extends PostgresSaver {
  readonly #db: Db;
  readonly #serializer: StateSerializer;
  readonly #metadata: Record<string, unknown>;
  readonly #attempt: SaverAttempt | undefined;
  /** Stores concurrent calls in one statement: the writes of a step, and the checkpoint after them. */
  readonly #storeBatched: (rows: CheckpointRows) => Promise<void>;
  /** After the first refused write no other is sent, so that a step is stored whole or not at all. */
  #refused = false;
  readonly #lists: ChannelLists;
  /** Whether the thread is known to be empty. False once this attempt stores something. */
  #isEmpty: boolean;

  constructor(db: Db, metadata: Record<string, unknown> = {}, attempt?: SaverAttempt) {
    // The stock class takes a pool, but the methods that are not replaced here only use its `query`.
    super(db as unknown as pg.Pool);
    this.#serializer = keepingImpostors(this.serde);
    this.serde = this.#serializer;
    this.#lists = createChannelLists(this.#serializer);
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
   * Returns a version that no other branch of the thread can produce. Plain counters repeat after a fork or a rollback. Each version's blob
   * is stored once, so the new branch would silently read the values of the abandoned one.
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
          metadata: JSON.stringify({ ...this.#metadata, ...metadata }),
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
    // A task has one error, one interrupt and one resume value, which replace previous ones. Results are stored once.
    const replaces = writes.every(([channel]) => channel in WRITES_IDX_MAP);
    if (replaces) await this.#orAbort(() => ({ ...noRows, writes: rowsOf() }), this.#replaceWrites);
    else await this.#writeOrAbort(() => ({ ...noRows, writes: rowsOf() }));
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
    // Checkpoints of older releases need the pending sends of their parents, which the stock saver reads.
    if (isOld(stored)) return super.getTuple(config).catch((error) => this.#noteTrouble(error));
    return this.#toTuple(stored);
  }

  /** Yields checkpoints, reading a few at a time, fewer the larger they are. The caller may stop anywhere in a long history. */
  override async *list(config: RunnableConfig, options?: CheckpointListOptions): AsyncGenerator<CheckpointTuple> {
    const { limit = Number.POSITIVE_INFINITY } = options ?? {};
    let before = options?.before;
    let left = limit;
    let size = firstBatch;
    while (left > 0) {
      const batchLimit = Math.min(left, size);
      const found = await this.#readBatch(config, { ...options, before, limit: batchLimit });
      for (const stored of found) yield await this.#toTupleOrOld(stored);
      left -= found.length;
      size = nextBatch(found);
      const last = found.at(-1);
      if (!last || found.length < batchLimit) return;
      before = { configurable: { checkpoint_id: last.checkpointId } };
    }
  }

  async #readBatch(config: RunnableConfig, { filter, before, limit }: CheckpointListOptions): Promise<StoredCheckpoint[]> {
    const { thread_id: threadId, checkpoint_ns: namespace, checkpoint_id: checkpointId } = config.configurable ?? {};
    const beforeId = before?.configurable?.checkpoint_id;
    const selection = sql`
      select * from checkpoints
       where true ${threadId ? sql`and thread_id = ${threadId}` : nothing}
         ${namespace === undefined || namespace === null ? nothing : sql`and checkpoint_ns = ${namespace}`}
         ${checkpointId ? sql`and checkpoint_id = ${checkpointId}` : nothing}
         ${filter && Object.keys(filter).length > 0 ? sql`and metadata @> searchable(${JSON.stringify(filter)}::json)` : nothing}
         ${beforeId === undefined ? nothing : sql`and ${storedBefore(threadId, beforeId)}`}
       order by ${newestFirst} limit ${limit}`;
    return readCheckpoints(this.#db, selection).catch((error) => this.#noteTrouble(error));
  }

  async #toTupleOrOld(stored: StoredCheckpoint): Promise<CheckpointTuple> {
    const { threadId: thread_id, namespace: checkpoint_ns, checkpointId: checkpoint_id } = stored;
    const old = isOld(stored) ? await super.getTuple({ configurable: { thread_id, checkpoint_ns, checkpoint_id } }) : undefined;
    return old ?? this.#toTuple(stored);
  }

  async #toTuple({
    threadId,
    namespace,
    checkpointId,
    parentId,
    checkpoint,
    metadata,
    values,
    writes,
  }: StoredCheckpoint): Promise<CheckpointTuple> {
    const at = (id: string) => ({ configurable: { thread_id: threadId, checkpoint_ns: namespace, checkpoint_id: id } });
    const present = [...values].filter(([, rows]) => rows.at(-1)?.type !== "empty");
    const channelValues = await Promise.all(
      present.map(async ([channel, rows]) => [channel, await this.#loadChannel({ threadId, namespace, channel }, rows)] as const),
    );
    return {
      config: at(checkpointId),
      checkpoint: {
        ...{ channel_versions: {}, versions_seen: {} }, // very old checkpoints lack these
        ...(checkpoint as unknown as Omit<Checkpoint, "channel_values">),
        channel_values: Object.fromEntries(channelValues),
      },
      metadata: metadata as CheckpointMetadata,
      ...(parentId && { parentConfig: at(parentId) }),
      pendingWrites: (await Promise.all(
        writes.map(async (write) => [write.taskId, write.channel, await this.#load(write)] as const),
      )) as CheckpointTuple["pendingWrites"],
    };
  }

  async #load({ type, text, bytes }: StoredValue): Promise<unknown> {
    return this.#serializer.loadsTyped(type, text ?? bytes ?? "");
  }

  async #loadChannel(place: Channel, rows: ListRow[]): Promise<unknown> {
    const [first] = rows;
    const isList = rows.length > 1 || (first?.type === "json" && first.text?.startsWith("["));
    return first && !isList ? this.#load(first) : this.#lists.load(place, rows);
  }

  override async deleteThread(threadId: string): Promise<void> {
    await deleteThreadCheckpoints(this.#db, threadId);
  }

  /**
   * Stores rows, or aborts the attempt. Values are serialised before the first await, so that a step with an unstorable value stores
   * nothing. LangGraph stores the checkpoint after the writes.
   */
  async #writeOrAbort(rowsOf: () => CheckpointRows): Promise<void> {
    const attempt = this.#attempt;
    if (!attempt) await this.#storeWithoutAttempt(rowsOf());
    else await this.#orAbort(rowsOf, attempt.store);
  }

  /** Stores rows without a fence. Large values take the server long, so they are sent at once in a statement of their own. */
  async #storeWithoutAttempt(rows: CheckpointRows): Promise<void> {
    return isAlike(rows) ? this.#storeBatched(rows) : storeRows(this.#db, rows);
  }

  /**
   * Stores rows, and aborts the attempt if that fails. It uses the attempt's signal instead of a rejection. LangGraph awaits some of these
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
      const isUnstorable = error instanceof UnstorableValue;
      this.#refuse(attempt, isUnstorable ? new UnstorableState(node, error) : explainRefusal(error as Error, node, rows));
    }
  }

  /** Reports database trouble and rethrows it. Once it leaves the graph, it looks like any error of a node. */
  #noteTrouble(error: Error): never {
    if (this.#attempt && isDatabaseTrouble(error)) this.#refuse(this.#attempt, error);
    throw error;
  }

  #refuse(attempt: SaverAttempt, reason: Error): void {
    this.#refused = true;
    attempt.refused(reason);
  }
}

/** The run's error when a node returned a value that cannot be stored. */
export class UnstorableState extends Error {
  constructor(node: string | undefined, { path, kind }: UnstorableValue) {
    super(
      `${node ? `Node "${node}"` : "The input"} wrote a value that cannot be stored: ${path} holds ${kind}. ` +
        "State must be JSON (Date, Map, Set, RegExp, Error and Uint8Array are fine): convert the value before returning it.",
    );
    this.name = "UnstorableState";
  }
}

const firstBatch = 2;
const mostInBatch = 200;
const batchBytes = 1_000_000;

/** Returns how many checkpoints to read next, by the size of those that were read last. */
function nextBatch(found: StoredCheckpoint[]): number {
  const rows = found.flatMap(({ values, writes }) => [...[...values.values()].flat(), ...writes]);
  const bytes = rows.reduce((sum, { text, bytes }) => sum + (text?.length ?? bytes?.length ?? 0), 0);
  const mean = bytes / Math.max(1, found.length);
  return Math.max(1, Math.min(mostInBatch, Math.floor(batchBytes / Math.max(1, mean))));
}

/** Returns whether an older release of LangGraph stored the checkpoint. */
const isOld = ({ checkpoint, parentId }: StoredCheckpoint) => parentId !== null && Number(checkpoint.v) < 4;

function addressOf(config: RunnableConfig): Address {
  const { thread_id, checkpoint_ns, checkpoint_id } = config.configurable ?? {};
  if (typeof thread_id !== "string") throw new Error("A checkpoint needs a thread_id in its configurable.");
  return { threadId: thread_id, namespace: checkpoint_ns ?? "", checkpointId: checkpoint_id };
}
