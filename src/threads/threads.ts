import { z } from "zod";
import { containing } from "../db/paging.ts";
import type { Scope } from "../db/scope.ts";
import { type Db, nothing, type Sql, sql } from "../db/sql.ts";
import { threadNotFound } from "../errors.ts";

export type Json = Record<string, unknown>;
export const ThreadStatus = z.enum(["idle", "busy", "interrupted", "error"]);
export type ThreadStatus = z.infer<typeof ThreadStatus>;

/** A conversation, as the API shows it. */
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

/** What becomes of a thread that nobody used for so long. */
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

/** A document that was serialised already, so that it is done once for all its readers. */
export type JsonText = string;

/** What a run, or whoever changed the state, leaves on its thread. */
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

/** Makes a thread. False when its id is taken. */
export async function insertThread(db: Db, wanted: NewThread & { thread_id: string }): Promise<boolean> {
  const { rowCount } = await db.query(sql`${insertingThread(wanted)} on conflict do nothing`);
  return rowCount !== 0;
}

/** Makes a thread's row, alone or in the statement that makes its first run. */
export function insertingThread({
  thread_id,
  metadata = {},
  config = {},
  temporary = false,
  ttl = null,
}: NewThread & { thread_id: string; config?: Json }): Sql {
  return sql`
    insert into threads (thread_id, metadata, config, temporary, ttl_minutes, ttl_strategy)
    values (${thread_id}, ${JSON.stringify(metadata)}, ${JSON.stringify(config)}, ${temporary}, ${ttl?.minutes ?? null},
            ${ttl?.strategy ?? null})`;
}

/** Several rows at once, in the statement that makes their first runs. */
export function insertingThreads(threads: { thread_id: string; metadata: Json; config: Json; temporary: boolean }[]): Sql {
  return sql`
    insert into threads (thread_id, metadata, config, temporary)
    select thread_id, metadata::json, config::json, temporary
      from unnest(${threads.map(({ thread_id }) => thread_id)}::uuid[], ${threads.map(({ metadata }) => JSON.stringify(metadata))}::text[],
                  ${threads.map(({ config }) => JSON.stringify(config))}::text[], ${threads.map(({ temporary }) => temporary)}::boolean[])
        as t (thread_id, metadata, config, temporary)`;
}

/** Merges into the metadata of a thread, and sets its time to live; null goes back to what is configured for all. */
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
    update threads set metadata = ${JSON.stringify({ ...locked.metadata, ...metadata })}, updated_at = now()
                       ${ttl === undefined ? nothing : setTtl}
     where thread_id = ${threadId}`);
}

export interface LockedThread {
  metadata: Json;
  config: Json;
}

/**
 * Holds the thread's row until the transaction ends. Whoever makes, cancels or ends a run of the thread holds it first, so that
 * they decide one after another. Undefined when there is no such thread in scope.
 */
export async function lockThread(db: Db, scope: Scope, threadId: string): Promise<LockedThread | undefined> {
  const { rows } = await db.query<LockedThread>(sql`
    select metadata, config from threads
     where thread_id = ${threadId} and exists (select from thread_rows seen where seen.thread_id = threads.thread_id)
       and ${scope.visible(sql`metadata`)}
       for no key update`);
  return rows[0];
}

/** The same, and makes the thread when it is missing. */
export async function lockOrCreateThread(db: Db, scope: Scope, wanted: NewThread & { thread_id: string }): Promise<LockedThread> {
  const locked = await lockThread(db, scope, wanted.thread_id);
  if (locked) return locked;
  const made = await insertThread(db, wanted);
  if (made) return { metadata: wanted.metadata ?? {}, config: {} };
  const appeared = await lockThread(db, scope, wanted.thread_id);
  if (!appeared) throw threadNotFound(wanted.thread_id);
  return appeared;
}

/** Notes on a thread what its new run brings along, unless other runs come first. For the statement that makes the run, with the thread locked. */
export function notingRun(threadId: string, metadata: Json, config: Json): Sql {
  return sql`
    update threads set metadata = ${JSON.stringify(metadata)}, config = ${JSON.stringify(config)}, updated_at = now()
     where thread_id = ${threadId}
       and not exists (select from runs where runs.thread_id = threads.thread_id and runs.status in ('pending', 'running'))`;
}

/** Stores the state that was reached outside a run: an update by a person, or what remains after a rollback. */
export async function restThread(db: Db, threadId: string, { status, values, interrupts }: ThreadState): Promise<void> {
  await db.query(sql`
    update threads
       set resting_status = ${status}, "values" = ${values}, interrupts = ${interrupts}, updated_at = now(), state_updated_at = now()
     where thread_id = ${threadId}`);
}

/** Deletes the row, and with it the thread's runs and their events. Its checkpoints are the checkpoint room's. */
export async function deleteThreadRow(db: Db, threadId: string): Promise<void> {
  const { rowCount } = await db.query(sql`delete from threads where thread_id = ${threadId}`);
  if (rowCount === 0) throw threadNotFound(threadId);
}

/** Copies the row: a new thread with the same state and the same time to live, which knows no run. False when there is none in scope. */
export async function copyThreadRow(
  db: Db,
  scope: Scope,
  fromThreadId: string,
  { thread_id: toThreadId, metadata }: { thread_id: string; metadata: Json },
): Promise<boolean> {
  if (!(await lockThread(db, scope, fromThreadId))) return false;
  await db.query(sql`
    insert into threads (thread_id, resting_status, metadata, "values", interrupts, ttl_minutes, ttl_strategy)
    select ${toThreadId}, resting_status, ${JSON.stringify(metadata)}, "values", interrupts,
           ttl_minutes, ttl_strategy
      from threads where thread_id = ${fromThreadId}`);
  return true;
}

/** The threads that say in their metadata that they belong to an assistant. */
export async function threadsOfAssistant(db: Db, scope: Scope, assistantId: string): Promise<string[]> {
  const { rows } = await db.query<{ threadId: string }>(sql`
    select thread_id as "threadId" from threads
     where ${containing(sql`metadata`, { assistant_id: assistantId })} and ${scope.visible(sql`metadata`)}`);
  return rows.map((row) => row.threadId);
}
