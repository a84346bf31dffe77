import type pg from "pg";
import { newId, systemAssistantId } from "../../src/db/ids.ts";

/** Creates a running run of the graph "g", in its first attempt. */
export async function startRun(db: pg.Pool) {
  const [runId, threadId, workerId] = [newId(), newId(), newId()];
  await db.query("insert into workers (worker_id, lock_key, host, pid) values ($1, nextval('worker_lock_keys'), 'test', 1)", [workerId]);
  await db.query("insert into threads (thread_id) values ($1)", [threadId]);
  await db.query(
    `insert into runs (run_id, thread_id, assistant_id, status, multitask_strategy, metadata, kwargs, attempt, worker_id, started_at, events_kept_secs)
     values ($1, $2, $3, 'running', 'enqueue', '{}', '{}', 1, $4, now(), 60)`,
    [runId, threadId, systemAssistantId("g"), workerId],
  );
  return { runId, threadId, workerId };
}
