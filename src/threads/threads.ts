import { z } from "zod";
import { containing } from "../db/paging.ts";
import type { Scope } from "../db/scope.ts";
import { sealable, sealableJson } from "../db/sealable.ts";
import { type Db, nothing, type Sql, sql } from "../db/sql.ts";
import { threadNotFound } from "../errors.ts";

export type Json = Record<string, unknown>;
export const ThreadStatus = z.enum(["idle", "busy", "interrupted", "error"]);
export type ThreadStatus = z.infer<typeof ThreadStatus>;

/** A thread in the API's form. A thread is a conversation with a graph. */
export interface Thread {
  thread_id: string;
  status: ThreadStatus;
  metadata: Json;
  config: Json;
  values: unknown;
  interrupts: Json;
  created_at: Date;
  updated_at: Date;
  state_updated_at: Date;
}

export type TtlStrategy = "delete" | "keep_latest";

/** The number of minutes that an unused thread is kept, and whether it is then deleted or reduced to its latest checkpoints. */
export interface ThreadTtl {
  minutes: number;
  strategy: TtlStrategy;
}

export interface NewThread {
  thread_id?: string;
  metadata?: Json;
  temporary?: boolean;
  ttl?: ThreadTtl | null;
}

/** A JSON document that is already serialised, so that code that stores or sends it need not do so again. */
export type JsonText = string;

/** The state of a thread after a run or a state update. */
export interface ThreadState {
  status: Exclude<ThreadStatus, "busy">;
  values: JsonText | null;
  interrupts: JsonText;
}

const columns = sql`thread_id, status, metadata, config, "values", interrupts, created_at, updated_at, state_updated_at`;

export async function getThread(db: Db, scope: Scope, threadId: string): Promise<Thread> {
  const thread = await findThread(db, scope, threadId);
  if (!thread) throw threadNotFound(threadId);
  return thread;
}

export async function findThread(db: Db, scope: Scope, threadId: string): Promise<Thread | undefined> {
  const { rows } = await db.query<Thread>(sql`
    select ${columns} from thread_rows where thread_id = ${threadId} and ${scope.visible(sql`metadata`)}`);
  return rows[0];
}

/** Creates a thread and returns it. Returns undefined if the thread's id is taken. */
export async function insertThread(db: Db, wanted: NewThread & { thread_id: string }): Promise<Thread | undefined> {
  const { rows } = await db.query<Thread>(sql`
    with threads as (${insertingThread(wanted)} on conflict do nothing returning *, resting_status as status)
    select ${columns} from threads`);
  return rows[0];
}

/** Returns the statement that inserts a thread's row. The statement that creates the thread's first run may include it. */
export function insertingThread({
  thread_id,
  metadata = {},
  config = {},
  temporary = false,
  ttl = null,
}: NewThread & { thread_id: string; config?: Json }): Sql {
  return sql`
    insert into threads (thread_id, metadata, config, temporary, ttl_minutes, ttl_strategy)
    values (${thread_id}, ${sealableJson("threads.metadata", metadata)}, ${sealableJson("threads.config", config)}, ${temporary}, ${ttl?.minutes ?? null},
            ${ttl?.strategy ?? null})`;
}

/** Returns the statement that inserts the rows of several threads. The statement that creates the threads' first runs includes it. */
export function insertingThreads(threads: { thread_id: string; metadata: Json; config: Json; temporary: boolean }[]): Sql {
  return sql`
    insert into threads (thread_id, metadata, config, temporary)
    select thread_id, metadata::json, config::json, temporary
      from unnest(${threads.map(({ thread_id }) => thread_id)}::uuid[], ${threads.map(({ metadata }) => sealableJson("threads.metadata", metadata))}::text[],
                  ${threads.map(({ config }) => sealableJson("threads.config", config))}::text[], ${threads.map(({ temporary }) => temporary)}::boolean[])
        as t (thread_id, metadata, config, temporary)`;
}

/**
 * Merges metadata into a thread's metadata, and sets the thread's time to live. With `ttl: null`, the thread has no time to live of its own
 * any more, so the default applies. With `ttl: undefined`, the time to live does not change.
 */
export async function updateThread(
  db: Db,
  scope: Scope,
  threadId: string,
  { metadata, ttl }: Pick<NewThread, "metadata" | "ttl">,
): Promise<void> {
  const locked = await lockThread(db, scope, threadId);
  if (!locked) throw threadNotFound(threadId);
  const setTtl = sql`, ttl_minutes = ${ttl?.minutes ?? null}, ttl_strategy = ${ttl?.strategy ?? null}`;
  await db.query(sql`
    update threads set metadata = ${sealableJson("threads.metadata", { ...locked.metadata, ...metadata })}, updated_at = now()
                       ${ttl === undefined ? nothing : setTtl}
     where thread_id = ${threadId}`);
}

export interface LockedThread {
  metadata: Json;
  config: Json;
}

/**
 * Locks the thread's row until the transaction ends, and returns its metadata and config. All code that creates, cancels or ends a run of a
 * thread locks the thread first, so that such changes happen one after another. Returns undefined if the thread does not exist or the scope
 * does not include it.
 */
export async function lockThread(db: Db, scope: Scope, threadId: string): Promise<LockedThread | undefined> {
  const { rows } = await db.query<LockedThread>(sql`
    select metadata, config from threads
     where thread_id = ${threadId} and exists (select from thread_rows seen where seen.thread_id = threads.thread_id)
       and ${scope.visible(sql`metadata`)}
       for no key update`);
  return rows[0];
}

/** Locks the thread's row until the transaction ends. If the thread does not exist, creates it. */
export async function lockOrCreateThread(db: Db, scope: Scope, wanted: NewThread & { thread_id: string }): Promise<LockedThread> {
  const locked = await lockThread(db, scope, wanted.thread_id);
  if (locked) return locked;
  const created = await insertThread(db, wanted);
  if (created) return { metadata: wanted.metadata ?? {}, config: {} };
  const appeared = await lockThread(db, scope, wanted.thread_id);
  if (!appeared) throw threadNotFound(wanted.thread_id);
  return appeared;
}

/**
 * Returns the statement that stores a new run's metadata and config on its thread, unless the thread has open runs. The statement that
 * creates the run includes it. The caller must hold the thread's lock.
 */
export function notingRun(threadId: string, metadata: Json, config: Json): Sql {
  return sql`
    update threads set metadata = ${sealableJson("threads.metadata", metadata)}, config = ${sealableJson("threads.config", config)}, updated_at = now()
     where thread_id = ${threadId}
       and not exists (select from runs where runs.thread_id = threads.thread_id and runs.status in ('pending', 'running'))`;
}

/** Stores a thread's state after a state update or a rollback. After a run, the statement that ends the run stores the state. */
export async function restThread(db: Db, threadId: string, { status, values, interrupts }: ThreadState): Promise<void> {
  await db.query(sql`
    update threads
       set resting_status = ${status}, "values" = ${sealable("threads.values", values)}, interrupts = ${sealable("threads.interrupts", interrupts)}, updated_at = now(), state_updated_at = now()
     where thread_id = ${threadId}`);
}

/** Deletes the thread's row. The thread's runs and their events are deleted with it. The caller must delete the thread's checkpoints. */
export async function deleteThreadRow(db: Db, threadId: string): Promise<void> {
  const { rowCount } = await db.query(sql`delete from threads where thread_id = ${threadId}`);
  if (rowCount === 0) throw threadNotFound(threadId);
}

/**
 * Copies a thread's row with its state and its time to live, but without its runs. Returns false if the thread does not exist or the scope
 * does not include it.
 */
export async function copyThreadRow(
  db: Db,
  scope: Scope,
  fromThreadId: string,
  { thread_id: toThreadId, metadata }: { thread_id: string; metadata: Json },
): Promise<boolean> {
  if (!(await lockThread(db, scope, fromThreadId))) return false;
  await db.query(sql`
    insert into threads (thread_id, resting_status, metadata, "values", interrupts, ttl_minutes, ttl_strategy)
    select ${toThreadId}, resting_status, ${sealableJson("threads.metadata", metadata)}, "values", interrupts,
           ttl_minutes, ttl_strategy
      from threads where thread_id = ${fromThreadId}`);
  return true;
}

/** Returns the ids of the threads whose metadata names the assistant. */
export async function threadsOfAssistant(db: Db, scope: Scope, assistantId: string): Promise<string[]> {
  const { rows } = await db.query<{ threadId: string }>(sql`
    select thread_id as "threadId" from threads
     where ${containing(sql`metadata`, { assistant_id: assistantId })} and ${scope.visible(sql`metadata`)}`);
  return rows.map((row) => row.threadId);
}
