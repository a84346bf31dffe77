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
import { isDatabaseTrouble } from "../db/failure.ts";
import { type Fence, fenced } from "../db/fence.ts";
import { type Db, join, nothing, type Sql, sql } from "../db/sql.ts";
import { deleteThreadCheckpoints } from "./lifecycle.ts";
import { dumpState, keepingImpostors, UnstorableValue } from "./serializer.ts";

/** What an attempt brings along, so that its checkpoints are its own. */
export interface SaverAttempt {
  fence: Fence;
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
 * The tables of LangGraph's PostgresSaver, with what a service needs besides: it works on any `Db`, each call is one statement, an
 * attempt's writes are fenced, and checkpoints know their run. The stock saver reads what it writes.
 */
export class EnsembleSaver extends PostgresSaver {
  readonly #db: Db;
  readonly #metadata: Record<string, unknown>;
  readonly #attempt: SaverAttempt | undefined;
  /** After the first refused write nothing more is sent: a step is stored whole or not at all. */
  #refused = false;

  constructor(db: Db, metadata: Record<string, unknown> = {}, attempt?: SaverAttempt) {
    // The stock class asks for a pool, and of a pool it uses only `query` in the methods that are not replaced here.
    super(db as unknown as pg.Pool);
    this.serde = keepingImpostors(this.serde);
    this.#db = db;
    this.#metadata = metadata;
    this.#attempt = attempt;
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
    await this.#writeOrAbort(() => {
      const blobs = Object.entries(newVersions).map(([channel, version]) => {
        const [type, blob] = channel in values ? dumpState(values[channel], channel) : ["empty", null];
        return sql`(${channel}::text, ${String(version)}::text, ${type}::text, ${blob}::bytea)`;
      });
      const storeBlobs = sql`, blobs as (
        insert into checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob, run_id)
        select ${threadId}, ${namespace}, channel, version, type, blob, fence.run_id
          from fence, (values ${join(blobs)}) as v (channel, version, type, blob)
            on conflict do nothing)`;
      return sql`
        with ${this.#fence()}${blobs.length > 0 ? storeBlobs : nothing}
        insert into checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata, run_id)
        select ${threadId}, ${namespace}, ${checkpoint.id}, ${parentId}, ${JSON.stringify(bare)}::jsonb,
               searchable(${JSON.stringify({ ...this.#metadata, ...metadata })}::json), fence.run_id
          from fence
            on conflict (thread_id, checkpoint_ns, checkpoint_id)
            do update set checkpoint = excluded.checkpoint, metadata = excluded.metadata
        returning 1`;
    });
    return next;
  }

  override async putWrites(config: RunnableConfig, writes: PendingWrite[], taskId: string): Promise<void> {
    const { threadId, namespace, checkpointId } = addressOf(config);
    // Errors, interrupts and resume values have one place a task and replace each other; results are stored once.
    const replaces = writes.every(([channel]) => channel in WRITES_IDX_MAP);
    await this.#writeOrAbort(() => {
      const rows = writes.map(([channel, value], index) => {
        const [type, blob] = dumpState(value, channel);
        return sql`(${WRITES_IDX_MAP[channel] ?? index}::integer, ${channel}::text, ${type}::text, ${blob}::bytea)`;
      });
      if (rows.length === 0) return undefined;
      const onConflict = replaces
        ? sql`on conflict (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
              do update set channel = excluded.channel, type = excluded.type, blob = excluded.blob, run_id = excluded.run_id`
        : sql`on conflict do nothing`;
      return sql`
        with ${this.#fence()}, written (idx, channel, type, blob) as (values ${join(rows)})
        ${replaces ? keepReplaced(threadId, namespace, checkpointId, taskId) : nothing}
        , stored as (
          insert into checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, run_id)
          select ${threadId}, ${namespace}, ${checkpointId}, ${taskId}, w.idx, w.channel, w.type, w.blob, fence.run_id
            from fence, written w
          ${onConflict})
        select 1 from fence`;
    });
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    return super.getTuple(config).catch((error) => this.#noteTrouble(error));
  }

  override async *list(config: RunnableConfig, options?: CheckpointListOptions): AsyncGenerator<CheckpointTuple> {
    try {
      yield* super.list(config, options);
    } catch (error) {
      this.#noteTrouble(error as Error);
    }
  }

  override async deleteThread(threadId: string): Promise<void> {
    await deleteThreadCheckpoints(this.#db, threadId);
  }

  #fence(): Sql {
    return this.#attempt ? fenced(this.#attempt.fence) : sql`fence as (select null::uuid as run_id)`;
  }

  /**
   * A failed write ends the attempt by its signal, not by a rejection: LangGraph awaits some of these promises late, and a rejection
   * nobody awaits yet would end the process. The values are serialised before the first await, so that a step with an unstorable
   * value stores nothing: LangGraph stores the checkpoint after the writes.
   */
  async #writeOrAbort(statement: () => Sql | undefined): Promise<void> {
    const attempt = this.#attempt;
    if (!attempt) {
      const ready = statement();
      if (ready) await this.#db.query(ready);
      return;
    }
    if (this.#refused) return;
    try {
      const ready = statement();
      if (!ready) return;
      const { rowCount } = await this.#db.query(ready);
      if (rowCount === 0) this.#refuse(attempt, new LostRight(attempt.fence));
    } catch (error) {
      this.#refuse(attempt, error instanceof UnstorableValue ? new UnstorableState(attempt.currentNode(), error) : (error as Error));
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

/** Sets aside what another run stored in the same places, for the case that this run is rolled back. */
function keepReplaced(threadId: string, namespace: string, checkpointId: string | undefined, taskId: string): Sql {
  return sql`, replaced as (
    insert into replaced_writes (replaced_by, thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, run_id)
    select fence.run_id, old.thread_id, old.checkpoint_ns, old.checkpoint_id, old.task_id, old.idx, old.channel, old.type, old.blob, old.run_id
      from fence, checkpoint_writes old
     where old.thread_id = ${threadId} and old.checkpoint_ns = ${namespace} and old.checkpoint_id = ${checkpointId}
       and old.task_id = ${taskId} and old.idx in (select idx from written)
       and fence.run_id is not null and old.run_id is distinct from fence.run_id
        on conflict do nothing)`;
}

function addressOf(config: RunnableConfig): Address {
  const { thread_id, checkpoint_ns, checkpoint_id } = config.configurable ?? {};
  if (typeof thread_id !== "string") throw new Error("A checkpoint needs a thread_id in its configurable.");
  return { threadId: thread_id, namespace: checkpoint_ns ?? "", checkpointId: checkpoint_id };
}
