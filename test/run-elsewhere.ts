import type pg from "pg";

/** Marks a run as executed by a worker that does not exist, so that the run does not end. The service under test must have no worker. */
export async function runElsewhere(db: pg.Pool, runId: string): Promise<void> {
  await db.query(
    `with elsewhere as (
       insert into workers (worker_id, lock_key, host, pid, heartbeat_at) values (gen_random_uuid(), 1, 'elsewhere', 1, now()) returning worker_id)
     update runs set status = 'running', attempt = 1, started_at = now(), worker_id = elsewhere.worker_id from elsewhere where run_id = $1`,
    [runId],
  );
}
