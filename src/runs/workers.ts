import { hostname } from "node:os";
import { type Db, sql } from "../db/sql.ts";
import type { HeldRun } from "./claim.ts";

/** The first half of every worker's advisory lock; any number that nothing else uses. */
const lockClass = 1_163_084_621;

/** How long a server, and an observer's own connection, must have been up before a free lock means anything: all vanish at once. */
export const settledSeconds = 5;
/** A worker that still lives renews every second; one that has not for this long is believed gone by an observer that is new itself. */
const silentSeconds = 2;

/**
 * Announces a worker and its graphs: takes a lock that lives as long as this connection, then says under which key. In this order, so that
 * nobody ever sees the key without the lock. A run can only be running on a worker that has a row.
 */
export async function announceWorker(connection: Db, workerId: string, graphs: string[]): Promise<void> {
  const { rows } = await connection.query<{ key: number }>(sql`select nextval('worker_lock_keys')::integer as key`);
  const key = rows[0]?.key;
  await connection.query(sql`select pg_advisory_lock(${lockClass}, ${key})`);
  await connection.query(sql`
    insert into workers (worker_id, lock_key, host, pid, graphs) values (${workerId}, ${key}, ${hostname()}, ${process.pid}, ${graphs})
        on conflict (worker_id) do update set lock_key = excluded.lock_key, heartbeat_at = now()`);
}

/** What a renewal brings back. */
export interface Renewal {
  /** False when the worker is not on the list any more. */
  known: boolean;
  /** Somebody has stopped everything. */
  halted: boolean;
  /** The runs it still has, and what was asked of them. */
  held: HeldRun[];
}

/** Says that the worker lives, and hears what became of its runs. */
export async function renewWorker(db: Db, workerId: string): Promise<Renewal> {
  const { rows } = await db.query<{ known: boolean; halted: boolean; held: HeldRun[] }>(sql`
    with renewed as (update workers set heartbeat_at = now() where worker_id = ${workerId} returning 1)
    select exists (select from renewed) as known,
           exists (select from halts) as halted,
           coalesce((select json_agg(json_build_object('runId', run_id, 'attempt', attempt, 'cancel', cancel))
                       from runs where worker_id = ${workerId} and status = 'running'), '[]') as held`);
  return rows[0] ?? { known: false, halted: false, held: [] };
}

/** Takes a worker off the list, unless it still has runs: then others find them. */
export async function retireWorker(db: Db, workerId: string): Promise<void> {
  await db.query(sql`
    delete from workers w where worker_id = ${workerId} and not exists (select from runs where runs.worker_id = w.worker_id)`);
}

/** Another worker, as an observer sees it. */
export interface ObservedWorker {
  workerId: string;
  lockKey: number;
  /** Its lock is not held, and the server has been up for long enough that this means something. */
  lockFree: boolean;
  /** It has not renewed for a few seconds. */
  silent: boolean;
  /** It has not renewed for longer than the lease, and could have: a restart of the server is nobody's fault. */
  leaseOver: boolean;
}

/** The other workers that seem to be gone. It reads the lock table: to try a lock would be to take it. */
export async function observeWorkers(db: Db, workerId: string, leaseSeconds: number): Promise<ObservedWorker[]> {
  const { rows } = await db.query<ObservedWorker>(sql`
    select * from (
      select w.worker_id as "workerId", w.lock_key as "lockKey",
             pg_postmaster_start_time() < now() - make_interval(secs => ${settledSeconds})
               and not exists (select from pg_locks l
                                where l.locktype = 'advisory' and l.granted and l.objsubid = 2
                                  and l.database = (select oid from pg_database where datname = current_database())
                                  and l.classid = ${lockClass}::bigint::oid and l.objid = w.lock_key::bigint::oid) as "lockFree",
             w.heartbeat_at < now() - make_interval(secs => ${silentSeconds}) as silent,
             greatest(w.heartbeat_at, pg_postmaster_start_time()) < now() - make_interval(secs => ${leaseSeconds}) as "leaseOver"
        from workers w
       where w.worker_id <> ${workerId}) others
     where "lockFree" or "leaseOver"`);
  return rows;
}

/**
 * Puts the runs of workers that are gone back into the queue and takes the workers off the list. A death counts against the runs that
 * the worker had; one that was only not heard of (stopped, cut off) says nothing of them. A run that stored a checkpoint in the
 * attempt that was lost begins counting anew: only crashes without progress tell of a run that kills its workers. A run whose thread
 * somebody holds is left for the next look: to wait for one would hold up all the others, and the observer's own sign of life.
 */
export async function takeOver(db: Db, workerIds: string[], died: boolean): Promise<string[]> {
  const { rows } = await db.query<{ runId: string }>(sql`
    with theirs as (
      select run_id from runs r join threads t using (thread_id) where worker_id = any(${workerIds}::uuid[]) and status = 'running'
         for no key update of t skip locked for no key update of r skip locked)
    update runs
       set status = 'pending', worker_id = null, updated_at = now(),
           crashes = ${died ? 1 : 0} + case when exists (select from checkpoints c
                                                          where c.thread_id = runs.thread_id::text and c.run_id = runs.run_id
                                                            and c.metadata ->> 'run_attempt' = runs.attempt::text)
                                            then 0 else crashes end
      from theirs
     where runs.run_id = theirs.run_id
    returning runs.run_id as "runId"`);
  await db.query(sql`
    delete from workers w
     where worker_id = any(${workerIds}::uuid[]) and not exists (select from runs where runs.worker_id = w.worker_id)`);
  return rows.map((row) => row.runId);
}

/** Whether a worker of this host was heard of within the lease. */
export async function isWorkerAlive(db: Db, host: string, leaseSeconds: number): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    select 1 from workers where host = ${host} and heartbeat_at > now() - make_interval(secs => ${leaseSeconds}) limit 1`);
  return rowCount !== 0;
}
