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

/** What an attempt brings along, so that its checkpoints are its own. */
export interface SaverAttempt {
  fence: Fence;
  /** Stores rows under the fence, together with whatever else the attempt has to store. False when the right is lost. */
  store: (rows: CheckpointRows) => Promise<boolean>;
  /** Does what the attempt asks of the database; rejects with `Refused` for what the database never takes. */
  unlessRefused: <T>(work: () => Promise<T>) => Promise<T>;
  /** Nothing was ever stored of the thread. */
  isFresh: boolean;
  /** Called when a write was refused or failed: nothing that this attempt does from here on may count. */
  refused: (reason: Error) => void;
  /** The node whose writes are stored next, for the error message. */
  currentNode: () => string | undefined;
  /** Resolves when the run's event log has room: a checkpoint, and with it the next step, waits for it. */
  room: () => Promise<void>;
}

/** The right to write was taken away: another attempt runs, or the run was ended or deleted. */
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
 * The tables of LangGraph's PostgresSaver, with what a service needs besides: it works on any `Db`, each call is at most one
 * statement, an attempt's writes are fenced, and checkpoints know their run. The stock saver reads what it writes, but for lists that
 * were stored in parts, which `ensemble export` makes whole again.
 */
export class EnsembleSaver extends PostgresSaver {
  readonly #db: Db;
  readonly #serializer: StateSerializer;
  readonly #metadata: Record<string, unknown>;
  readonly #attempt: SaverAttempt | undefined;
  /** What is asked for together is stored together: the writes of a step, and the checkpoint behind them. */
  readonly #storeTogether: (rows: CheckpointRows) => Promise<boolean>;
  /** After the first refused write nothing more is sent: a step is stored whole or not at all. */
  #refused = false;
  readonly #lists: ChannelLists;
  /** Known to hold nothing, until this attempt stores something. */
  #isEmpty: boolean;

  constructor(db: Db, metadata: Record<string, unknown> = {}, attempt?: SaverAttempt) {
    // The stock class asks for a pool, and of a pool it uses only `query` in the methods that are not replaced here.
    super(db as unknown as pg.Pool);
    this.#serializer = keepingImpostors(this.serde);
    this.serde = this.#serializer;
    this.#lists = createChannelLists(this.#serializer);
    this.#db = db;
    this.#metadata = metadata;
    this.#attempt = attempt;
    this.#storeTogether = batched(async (parts: CheckpointRows[]) => {
      const stored = await storeRows(db, undefined, joinRows(parts));
      return parts.map(() => stored);
    });
    this.#isEmpty = attempt?.isFresh ?? false;
  }

  /**
   * A version that no other branch of the thread can make. Plain counters repeat after a fork or a rollback, and since blobs are
   * stored once a version, the new branch would silently read the abandoned one's values.
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

  #blobOf(place: Omit<BlobRow, "value">, isThere: boolean, value: unknown): BlobRow {
    if (!isThere) return { ...place, value: undefined };
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
    // Errors, interrupts and resume values have one place a task and replace each other; results are stored once.
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
    // Older checkpoints find their pending sends with their parents: the stock saver knows how.
    if (isOld(stored)) return super.getTuple(config).catch((error) => this.#noteTrouble(error));
    return this.#toTuple(stored);
  }

  /** Reads a few checkpoints at a time, fewer the larger they are: whoever lists a long history may stop at any of them. */
  override async *list(config: RunnableConfig, options?: CheckpointListOptions): AsyncGenerator<CheckpointTuple> {
    const { limit = Number.POSITIVE_INFINITY } = options ?? {};
    let before = options?.before;
    let left = limit;
    let size = firstBatch;
    while (left > 0) {
      const asked = Math.min(left, size);
      const found = await this.#readBatch(config, { ...options, before, limit: asked });
      for (const stored of found) yield await this.#toTupleOrOld(stored);
      left -= found.length;
      size = nextBatch(found);
      const last = found.at(-1);
      if (!last || found.length < asked) return;
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
        ...{ channel_versions: {}, versions_seen: {} }, // which very old ones lack
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
   * Values are serialised before the first await, so that a step with an unstorable value stores nothing: LangGraph stores the checkpoint
   * after the writes.
   */
  async #writeOrAbort(rowsOf: () => CheckpointRows): Promise<void> {
    const attempt = this.#attempt;
    if (!attempt) await this.#storeByItself(rowsOf());
    else await this.#orAbort(rowsOf, attempt.store);
  }

  /** Large values take the server long: they go at once, each by itself. */
  async #storeByItself(rows: CheckpointRows): Promise<boolean> {
    return isAlike(rows) ? this.#storeTogether(rows) : storeRows(this.#db, undefined, rows);
  }

  /**
   * A failed write ends the attempt by its signal, not by a rejection: LangGraph awaits some of these promises late, and a rejection
   * nobody awaits yet would end the process.
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

  /** The database's trouble comes out of the graph like any error of a node's; only here it can still be told apart. */
  #noteTrouble(error: Error): never {
    if (this.#attempt && isDatabaseTrouble(error)) this.#refuse(this.#attempt, error);
    throw error;
  }

  #refuse(attempt: SaverAttempt, reason: Error): void {
    this.#refused = true;
    attempt.refused(reason);
  }
}

/** The run's error when a node returned something that would not survive storage. */
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

/** How many checkpoints are read next, by the size of those that were read last. */
function nextBatch(found: StoredCheckpoint[]): number {
  const rows = found.flatMap(({ values, writes }) => [...[...values.values()].flat(), ...writes]);
  const bytes = rows.reduce((sum, { text, bytes }) => sum + (text?.length ?? bytes?.length ?? 0), 0);
  const mean = bytes / Math.max(1, found.length);
  return Math.max(1, Math.min(mostInBatch, Math.floor(batchBytes / Math.max(1, mean))));
}

/** As older releases of LangGraph stored them. */
const isOld = ({ checkpoint, parentId }: StoredCheckpoint) => parentId !== null && Number(checkpoint.v) < 4;

function addressOf(config: RunnableConfig): Address {
  const { thread_id, checkpoint_ns, checkpoint_id } = config.configurable ?? {};
  if (typeof thread_id !== "string") throw new Error("A checkpoint needs a thread_id in its configurable.");
  return { threadId: thread_id, namespace: checkpoint_ns ?? "", checkpointId: checkpoint_id };
}
