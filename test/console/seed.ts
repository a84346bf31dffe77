import type { Client } from "@langchain/langgraph-sdk";
import type { Pool } from "pg";
import { systemAssistantId } from "../../src/db/ids.ts";

/** Stores many runs that have ended, on one thread. The nth run was created n seconds ago. Some have failed. Returns the thread's id. */
export async function storeEnded({ client, db }: { client: Client; db: Pool }, amount: number, metadata: object = {}): Promise<string> {
  const { thread_id: threadId } = await client.threads.create();
  await db.query(
    `insert into runs (run_id, thread_id, assistant_id, graph_id, status, multitask_strategy, metadata, kwargs, events_kept_secs,
                       created_at, updated_at, started_at, ended_at, error)
     select gen_random_uuid(), $2, $3, 'steps', (array['success', 'success', 'success', 'error', 'interrupted', 'timeout'])[1 + n % 6]::run_status,
            'enqueue', $4, '{"input": {}}', 1, now() - make_interval(secs => n), now() - make_interval(secs => n),
            now() - make_interval(secs => n), now() - make_interval(secs => n - 0.8),
            case when n % 6 in (3, 5) then '{"error": "TypeError", "message": "Cannot read properties of undefined (reading ''content'')"}'::json end
       from generate_series(1, $1::integer) n`,
    [amount, threadId, systemAssistantId("steps"), metadata],
  );
  return threadId;
}
