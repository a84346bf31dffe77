import type { Fence } from "../db/fence.ts";
import { type Db, sql } from "../db/sql.ts";

/**
 * Stores the trace span of an attempt, so that the next attempt can link to it. Does nothing if the attempt has lost the right to write.
 */
export async function noteAttemptSpan(db: Db, { runId, attempt }: Fence, span: string): Promise<void> {
  await db.query(sql`
    update runs set attempt_span = ${span} where run_id = ${runId} and attempt = ${attempt} and status = 'running'`);
}
