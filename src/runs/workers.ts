import { hostname } from "node:os";
import { type Db, sql } from "../db/sql.ts";

/** Announces a worker. A run can only be running on a worker that has a row. */
export async function announceWorker(db: Db, workerId: string): Promise<void> {
  await db.query(sql`
    insert into workers (worker_id, host, pid) values (${workerId}, ${hostname()}, ${process.pid})
        on conflict (worker_id) do update set heartbeat_at = now()`);
}

/** Says that the worker lives. False when it is not on the list any more. */
export async function renewWorker(db: Db, workerId: string): Promise<boolean> {
  const { rowCount } = await db.query(sql`update workers set heartbeat_at = now() where worker_id = ${workerId}`);
  return rowCount !== 0;
}

/** Takes a worker off the list, unless it still has runs: then others find them by its silence. */
export async function retireWorker(db: Db, workerId: string): Promise<void> {
  await db.query(sql`
    delete from workers w where worker_id = ${workerId} and not exists (select from runs where runs.worker_id = w.worker_id)`);
}

/** Puts the runs of workers that were silent for longer than the lease back into the queue, and forgets such workers. */
export async function takeOverSilentWorkers(db: Db, leaseSeconds: number): Promise<string[]> {
  const { rows } = await db.query<{ runId: string }>(sql`
    update runs set status = 'pending', worker_id = null, crashes = crashes + 1, updated_at = now()
      from workers w
     where runs.worker_id = w.worker_id and runs.status = 'running'
       and w.heartbeat_at < now() - make_interval(secs => ${leaseSeconds})
    returning runs.run_id as "runId"`);
  await db.query(sql`
    delete from workers w
     where heartbeat_at < now() - make_interval(secs => ${leaseSeconds})
       and not exists (select from runs where runs.worker_id = w.worker_id)`);
  return rows.map((row) => row.runId);
}

/** Whether a worker of this host was heard of within the lease. */
export async function isWorkerAlive(db: Db, host: string, leaseSeconds: number): Promise<boolean> {
  const { rowCount } = await db.query(sql`
    select 1 from workers where host = ${host} and heartbeat_at > now() - make_interval(secs => ${leaseSeconds}) limit 1`);
  return rowCount !== 0;
}
