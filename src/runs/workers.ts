import { hostname } from "node:os";
import { type Db, sql } from "../db/sql.ts";
import type { HeldRun } from "./claim.ts";
import { withEndedAttempt } from "./timeline.ts";

/** The first half of the key of every worker's advisory lock. The number is arbitrary, but no other lock may use it. */
const lockClass = 1_163_084_621;

/**
 * The number of seconds after which a free lock proves that its worker is dead. They count from the start of the database server, and from
 * the time when the observing worker connected. In this time after an outage, live workers take their locks again.
 */
export const settledSeconds = 5;
/**
 * The number of seconds without a heartbeat after which a worker counts as silent. A live worker sends a heartbeat every second. In the
 * first seconds after an observing worker has connected, a free lock proves that a worker is dead only if that worker is also silent.
 */
const silentSeconds = 2;

/** The data about a worker that other processes can read. */
export interface WorkerFacts {
  workerId: string;
  /** The ids of the graphs that the worker has loaded. */
  graphs: string[];
  /** The number of runs that the worker can execute at the same time. */
  slots: number;
  /** The release of Ensemble that the worker runs. */
  version: string;
}

/**
 * Inserts a worker's row, so that the worker may claim runs. First takes an advisory lock, which lasts as long as this connection, and then
 * stores the key of the lock. In the opposite order, an observer could find the lock free and consider the new worker dead.
 */
export async function announceWorker(connection: Db, { workerId, graphs, slots, version }: WorkerFacts): Promise<void> {
  const { rows } = await connection.query<{ key: number }>(sql`select nextval('worker_lock_keys')::integer as key`);
  const key = rows[0]?.key;
  await connection.query(sql`select pg_advisory_lock(${lockClass}, ${key})`);
  await connection.query(sql`
    insert into workers (worker_id, lock_key, host, pid, graphs, slots, version)
    values (${workerId}, ${key}, ${hostname()}, ${process.pid}, ${graphs}, ${slots}, ${version})
        on conflict (worker_id) do update set lock_key = excluded.lock_key, heartbeat_at = now()`);
}

/** The result of the renewal of a worker's lease. */
export interface Renewal {
  /** True if the worker's row exists. False if another worker considered this worker dead and deleted the row. */
  known: boolean;
  /** True if the service is halted. */
  halted: boolean;
  /** The runs that the worker still holds. Each has the cancellation that a caller has requested, or null. */
  held: HeldRun[];
}

/** Renews the worker's lease, and returns the runs that the worker holds. */
export async function renewWorker(db: Db, workerId: string): Promise<Renewal> {
  const { rows } = await db.query<{ known: boolean; halted: boolean; held: HeldRun[] }>(sql`
    with renewed as (update workers set heartbeat_at = now() where worker_id = ${workerId} returning 1)
    select exists (select from renewed) as known,
           exists (select from halts) as halted,
           coalesce((select json_agg(json_build_object('runId', run_id, 'attempt', attempt, 'cancel', cancel))
                       from runs where worker_id = ${workerId} and status = 'running'), '[]') as held`);
  return rows[0] ?? { known: false, halted: false, held: [] };
}

/** Deletes the row of a worker that stops. If the worker still holds runs, its row stays, so that another worker takes these runs over. */
export async function retireWorker(db: Db, workerId: string): Promise<void> {
  await db.query(sql`
    delete from workers w where worker_id = ${workerId} and not exists (select from runs where runs.worker_id = w.worker_id)`);
}

/** A worker, as another worker observes it. */
export interface ObservedWorker {
  workerId: string;
  lockKey: number;
  /** True if the worker's lock is free, and the database server has been up for long enough to prove that the worker is dead. */
  lockFree: boolean;
  /** True if the worker has not renewed its lease for two seconds. */
  silent: boolean;
  /** True if the worker's lease has run out. The time while the database server was down does not count. */
  leaseOver: boolean;
}

/**
 * An SQL expression that is true if the lock of the worker `w` is free. It is false for some seconds after the start of the database
 * server, because workers must first take their locks again. It reads `pg_locks`, because `pg_try_advisory_lock` would take the lock.
 */
const lockFree = sql`
  (pg_postmaster_start_time() < now() - make_interval(secs => ${settledSeconds})
   and not exists (select from pg_locks l
                    where l.locktype = 'advisory' and l.granted and l.objsubid = 2
                      and l.database = (select oid from pg_database where datname = current_database())
                      and l.classid = ${lockClass}::bigint::oid and l.objid = w.lock_key::bigint::oid))`;

const leaseOver = (leaseSeconds: number) =>
  sql`greatest(w.heartbeat_at, pg_postmaster_start_time()) < now() - make_interval(secs => ${leaseSeconds})`;

/** Returns the other workers that seem dead: those whose lock is free, and those whose lease has run out. */
export async function observeWorkers(db: Db, workerId: string, leaseSeconds: number): Promise<ObservedWorker[]> {
  const { rows } = await db.query<ObservedWorker>(sql`
    select * from (
      select w.worker_id as "workerId", w.lock_key as "lockKey", ${lockFree} as "lockFree",
             w.heartbeat_at < now() - make_interval(secs => ${silentSeconds}) as silent, ${leaseOver(leaseSeconds)} as "leaseOver"
        from workers w
       where w.worker_id <> ${workerId}) others
     where "lockFree" or "leaseOver"`);
  return rows;
}

/** A worker as the API shows it. Facts that a worker of the previous release does not report are null. */
export interface ListedWorker {
  worker_id: string;
  host: string;
  pid: number;
  version: string | null;
  graphs: string[] | null;
  slots: number | null;
  /** The number of runs that the worker executes now. */
  running: number;
  /** False if the worker's lease has run out or its lock is free. Other workers then take over its runs. */
  alive: boolean;
  started_at: Date;
  heartbeat_at: Date;
}

/** Returns all workers. The worker that started first comes first. */
export async function listWorkers(db: Db, leaseSeconds: number): Promise<ListedWorker[]> {
  const { rows } = await db.query<ListedWorker>(sql`
    select worker_id, host, pid, version, graphs, slots,
           (select count(*)::integer from runs where runs.worker_id = w.worker_id and status = 'running') as running,
           not (${lockFree} or ${leaseOver(leaseSeconds)}) as alive, started_at, heartbeat_at
      from workers w order by started_at, worker_id`);
  return rows;
}

/**
 * Returns the runs of these workers to the queue. Then deletes the rows of those workers that hold no runs any more.
 *
 * If the workers `died`, each run that they held counts one more crash. If they only lost their connection or their lease, the runs count
 * no crash. If a run has stored a checkpoint in the lost attempt, its count starts again at 0. Only crashes without any progress suggest
 * that the run itself kills its workers.
 *
 * A run on a locked thread stays with its worker until the observer's next check. Waiting for the lock would delay all other runs, and also
 * the observer's own heartbeat.
 */
export async function takeOver(db: Db, workerIds: string[], died: boolean): Promise<string[]> {
  const { rows } = await db.query<{ runId: string }>(sql`
    with theirs as (
      select run_id from runs r join threads t using (thread_id) where worker_id = any(${workerIds}::uuid[]) and status = 'running'
         for no key update of t skip locked for no key update of r skip locked)
    update runs
       set status = 'pending', worker_id = null, updated_at = now(), timeline = ${withEndedAttempt(sql`${died ? "crashed" : "lost"}::text`)},
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

/** Tells whether a worker on this host has renewed its lease within `leaseSeconds` seconds. */
export async function isWorkerAlive(db: Db, host: string, leaseSeconds: number): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    select 1 from workers where host = ${host} and heartbeat_at > now() - make_interval(secs => ${leaseSeconds}) limit 1`);
  return rowCount !== 0;
}
