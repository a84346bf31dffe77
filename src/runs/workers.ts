import { hostname } from "node:os";
import { type Db, sql } from "../db/sql.ts";
import type { HeldRun } from "./claim.ts";

/** The first half of every worker's advisory lock. It is an arbitrary number that nothing else uses. */
const lockClass = 1_163_084_621;

/**
 * How long the server and the observer's connection must be up before a free lock means a dead worker. A restart of the server frees all
 * locks at once.
 */
export const settledSeconds = 5;
/** How long a worker must be silent before a new observer takes it for dead. A live worker renews every second. */
const silentSeconds = 2;

/**
 * Announces a worker and its graphs. Takes an advisory lock that lives as long as this connection, then stores the key of the lock. No
 * observer thus sees the key before the lock is taken. Only a worker with a row can have running runs.
 */
export async function announceWorker(connection: Db, workerId: string, graphs: string[]): Promise<void> {
  const { rows } = await connection.query<{ key: number }>(sql`select nextval('worker_lock_keys')::integer as key`);
  const key = rows[0]?.key;
  await connection.query(sql`select pg_advisory_lock(${lockClass}, ${key})`);
  await connection.query(sql`
    insert into workers (worker_id, lock_key, host, pid, graphs) values (${workerId}, ${key}, ${hostname()}, ${process.pid}, ${graphs})
        on conflict (worker_id) do update set lock_key = excluded.lock_key, heartbeat_at = now()`);
}

/** The database's answer when a worker renews its lease. */
export interface Renewal {
  /** False if the row of the worker is gone. */
  known: boolean;
  /** True if the service is halted. */
  halted: boolean;
  /** The runs that the worker still holds, with their cancellations. */
  held: HeldRun[];
}

/** Renews the worker's lease, and returns the runs that it holds. */
export async function renewWorker(db: Db, workerId: string): Promise<Renewal> {
  const { rows } = await db.query<{ known: boolean; halted: boolean; held: HeldRun[] }>(sql`
    with renewed as (update workers set heartbeat_at = now() where worker_id = ${workerId} returning 1)
    select exists (select from renewed) as known,
           exists (select from halts) as halted,
           coalesce((select json_agg(json_build_object('runId', run_id, 'attempt', attempt, 'cancel', cancel))
                       from runs where worker_id = ${workerId} and status = 'running'), '[]') as held`);
  return rows[0] ?? { known: false, halted: false, held: [] };
}

/** Deletes the row of a worker. If the worker still holds runs, the row stays, so that another worker finds and takes over these runs. */
export async function retireWorker(db: Db, workerId: string): Promise<void> {
  await db.query(sql`
    delete from workers w where worker_id = ${workerId} and not exists (select from runs where runs.worker_id = w.worker_id)`);
}

/** A worker, as another worker observes it. */
export interface ObservedWorker {
  workerId: string;
  lockKey: number;
  /** True if the worker's lock is free, and the server has been up for long enough. */
  lockFree: boolean;
  /** True if the worker has not renewed for some seconds. */
  silent: boolean;
  /** True if the worker did not renew within its lease. Time in which the server was down does not count. */
  leaseOver: boolean;
}

/** Returns the other workers that seem dead. Reads the table of locks, because trying to lock would take a free lock. */
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
 * Returns the runs of dead workers to the queue, and deletes the rows of the workers.
 *
 * The death of a worker counts as a crash of each run that it held. A worker that was only stopped or cut off adds no crash. If a run
 * stored a checkpoint in the lost attempt, its count starts anew. Only crashes without progress point to a run that kills its workers.
 *
 * A run whose thread is locked waits for the next look. To wait for the lock here would delay all other runs, and the observer's own
 * renewal.
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

/** Returns whether a worker on this host renewed within the lease. */
export async function isWorkerAlive(db: Db, host: string, leaseSeconds: number): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    select 1 from workers where host = ${host} and heartbeat_at > now() - make_interval(secs => ${leaseSeconds}) limit 1`);
  return rowCount !== 0;
}
